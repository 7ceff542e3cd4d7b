"""What stands around a face and tells the feeling: tears, hearts, steam, a check mark.

Every prop takes a pen in figure units and the moment of the loop (0 to 1), and has no seam at its end.
"""

import math
from collections.abc import Callable

import numpy as np

from pipeline.synthetic.canvas import INK, WHITE, Colour, Pen, ellipse, heart, rounded

Prop = Callable[[Pen, float], None]

WATER: Colour = (112, 186, 250)
RED: Colour = (236, 56, 80)
GOLD: Colour = (255, 206, 64)
GREEN: Colour = (66, 190, 120)


def outlined(pen: Pen, points: np.ndarray[tuple[int, int], np.dtype[np.float64]], colour: Colour) -> None:
    """Fill a shape and draw its dark outline."""
    pen.line(points, INK, 0.11, closed=True)
    pen.polygon(points, colour)


def drop(x: float, y: float, size: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the outline of a falling drop, its tip above (x, y)."""
    corners = [(0, -1.9), (0.45, -0.8), (0.95, 0.1), (0.7, 1.0), (-0.7, 1.0), (-0.95, 0.1), (-0.45, -0.8)]
    return rounded([(x + size * a, y + size * b) for a, b in corners], rounds=2)


def falling_tears(pen: Pen, t: float) -> None:
    """Two drops under each eye, one half a loop behind the other."""
    for side in (-1, 1):
        for offset in (0.0, 0.5):
            way = (t + offset + 0.15 * (side > 0)) % 1
            size = 0.12 * math.sin(math.pi * way) ** 0.5
            if size > 0.04:
                outlined(pen, drop(side * (0.56 + 0.2 * way), 0.12 + 0.85 * way, size), WATER)


def tear_streams(pen: Pen, t: float) -> None:
    """Two streams down the cheeks with light running along."""
    for side in (-1, 1):
        x = side * 0.46
        stream = np.array([[x, 0.02], [x + side * 0.04, 0.4], [x + side * 0.1, 0.78]])
        pen.line(stream, WATER, 0.2)
        for offset in (0.0, 0.5):
            way = (t + offset) % 1
            light = 0.06 * math.sin(math.pi * way) ** 0.5
            pen.dot(x + side * 0.1 * way, 0.04 + 0.7 * way, light, (214, 238, 255))


def joy_tears(pen: Pen, t: float) -> None:
    for side in (-1, 1):
        size = 0.11 + 0.03 * math.sin(2 * math.tau * t)
        outlined(pen, ellipse(side * 0.82, 0.0, (size, size * 0.8), angle=side * -0.6), WATER)


def floating_hearts(pen: Pen, t: float) -> None:
    """Hearts that rise beside the head and fade by shrinking."""
    for start, x, size in ((0.0, -1.05, 0.24), (0.4, 1.08, 0.28), (0.7, -0.75, 0.17)):
        way = (t + start) % 1
        grown = size * math.sin(math.pi * way)
        if grown > 0.05:
            outlined(pen, heart(x + 0.08 * math.sin(math.tau * way), 0.1 - 1.2 * way, grown), RED)


def anger_mark(pen: Pen, t: float) -> None:
    """The throbbing vein of comics: four bent strokes around a point."""
    vein = pen.moved(0.72, -0.72, scale=0.3 * (1 + 0.2 * math.sin(2 * math.tau * t)))
    for quarter in range(4):
        bent = vein.moved(0, 0, angle=math.pi / 2 * quarter)
        corner = np.array([[0.25, -0.95], [0.3, -0.45], [0.45, -0.3], [0.95, -0.25]])
        bent.line(corner, RED, 0.26)


def steam(pen: Pen, t: float) -> None:
    """Two puffs that leave the head on both sides."""
    for side in (-1, 1):
        for offset in (0.0, 0.5):
            way = (t + offset) % 1
            size = 0.2 * math.sin(math.pi * way)
            if size > 0.04:
                puff = ellipse(side * (0.98 + 0.35 * way), -0.5 - 0.3 * way, (size, size * 0.85))
                outlined(pen, puff, WHITE)


def sleep_bubble(pen: Pen, t: float) -> None:
    size = 0.22 + 0.11 * math.sin(math.tau * t)
    outlined(pen, ellipse(0.2 + size * 0.8, 0.28 + size * 0.5, (size, size)), (196, 228, 252))
    pen.dot(0.2 + size * 0.5, 0.28 + size * 0.2, size * 0.22, WHITE)


def night_cap(pen: Pen, t: float) -> None:
    """A pointed cap whose bobble swings."""
    swing = 0.08 * math.sin(math.tau * t)
    cap = rounded([(-0.5, -0.78), (0.5, -0.78), (0.62, -1.1), (1.06 + swing, -0.86), (0.2, -1.5)], rounds=2)
    outlined(pen, cap, (104, 130, 214))
    pen.line(np.array([[-0.46, -0.8], [0.46, -0.8]]), INK, 0.3)
    pen.line(np.array([[-0.46, -0.8], [0.46, -0.8]]), WHITE, 0.2)
    outlined(pen, ellipse(0.95 + swing, -0.86, (0.14, 0.14)), WHITE)


def surprise_lines(pen: Pen, t: float) -> None:
    """Short strokes that burst from the head."""
    reach = 0.1 * math.sin(2 * math.tau * t)
    for angle in (-2.3, -1.95, -1.2, -0.85):
        direction = np.array([math.cos(angle), math.sin(angle)])
        pen.line(np.stack([direction * (1.28 + reach), direction * (1.55 + reach)]), (246, 130, 60), 0.1)


def sweat_drop(pen: Pen, t: float) -> None:
    way = 0.5 - 0.5 * math.cos(math.tau * t)
    outlined(pen, drop(0.86, -0.5 + 0.22 * way, 0.15), WATER)


def sparkles(pen: Pen, t: float) -> None:
    """Four-pointed stars that twinkle in turn."""
    for offset, x, y in ((0.0, 1.08, -0.72), (0.5, -1.1, -0.5), (0.25, 0.95, 0.62)):
        size = 0.32 * max(0.0, math.sin(math.pi * ((t + offset) % 1)))
        if size > 0.07:
            angles = np.arange(8) * math.pi / 4
            radius = np.where(np.arange(8) % 2 == 0, size, size * 0.36)
            outlined(pen, np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)]), GOLD)


def check_badge(pen: Pen, t: float) -> None:
    """A green badge with a check mark that is written and stays."""
    badge = pen.moved(0.86, 0.62, scale=1 + 0.06 * math.sin(math.tau * t))
    outlined(badge, ellipse(0, 0, (0.4, 0.4)), GREEN)
    check = np.array([[-0.19, 0.02], [-0.05, 0.16], [0.2, -0.15]])
    badge.line(check, WHITE, 0.12)


def thumb_up(pen: Pen, t: float) -> None:
    """A raised thumb that nods."""
    hand = pen.moved(0.9, 0.5, angle=0.18 * math.sin(math.tau * t), scale=0.9)
    skin = (255, 220, 178)
    outlined(hand, rounded([(-0.06, -0.62), (0.16, -0.6), (0.18, 0.1), (-0.2, 0.1)], rounds=2), skin)
    outlined(hand, rounded([(-0.32, -0.16), (0.4, -0.18), (0.42, 0.44), (-0.32, 0.42)], rounds=2), skin)
    for y in (0.0, 0.16):
        hand.line(np.array([[0.12, y], [0.32, y]]), INK, 0.06)


def blush_lines(pen: Pen, t: float) -> None:
    """Three slanted strokes on each cheek that glow and fade."""
    for side in (-1, 1):
        for step in (-0.11, 0.0, 0.11):
            x = side * 0.68 + step
            lift = 0.015 * math.sin(math.tau * t + step * 20)
            pen.line(np.array([[x + 0.04, 0.1 + lift], [x - 0.04, 0.26 + lift]]), (236, 84, 104), 0.05)


def circling_stars(pen: Pen, t: float) -> None:
    """Little stars that circle above the head."""
    for turn in (0.0, 1 / 3, 2 / 3):
        angle = math.tau * (t + turn)
        x, y = 0.85 * math.cos(angle), -1.0 + 0.2 * math.sin(angle)
        angles = np.arange(10) * math.pi / 5 - math.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 0.2, 0.09)
        outlined(pen, np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)]), GOLD)

"""Eyes and mouths: what the pen draws on a figure, about 2 units wide, centred between eyes and mouth."""

import math
from collections.abc import Callable

import numpy as np

from pipeline.synthetic.canvas import INK, WHITE, Colour, Pen, heart

EYE_X = 0.46
EYE_Y = -0.1
LINE = 0.085
CHEEK: Colour = (255, 150, 150)
MOUTH: Colour = (150, 44, 60)
TONGUE: Colour = (255, 130, 130)
RED: Colour = (236, 56, 80)

Eyes = Callable[[Pen, float, float], None]
"""Draws both eyes: pen, how far they are open (0 to 1), moment of the loop (0 to 1)."""
Mouth = Callable[[Pen, float], None]
"""Draws the mouth: pen, moment of the loop (0 to 1)."""


def _round_eye(pen: Pen, x: float, is_open: float, *, size: float = 1.0) -> None:
    if is_open < 0.3:
        pen.arc(x, EYE_Y, (0.14 * size, 0.05), (0.15, math.pi - 0.15), INK, LINE)
        return
    pen.ellipse(x, EYE_Y, (0.13 * size, 0.18 * size * is_open), INK)
    pen.dot(x - 0.04 * size, EYE_Y - 0.07 * size * is_open, 0.055 * size, WHITE)
    pen.dot(x + 0.045 * size, EYE_Y + 0.07 * size * is_open, 0.028 * size, WHITE)


def round_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        _round_eye(pen, side * EYE_X, is_open)


def happy_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        pen.arc(side * EYE_X, EYE_Y + 0.06, (0.17, 0.17), (math.pi + 0.2, math.tau - 0.2), INK, LINE)


def sleeping_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        pen.arc(side * EYE_X, EYE_Y - 0.04, (0.18, 0.12), (0.15, math.pi - 0.15), INK, LINE)


def squeezed_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        x = side * EYE_X
        corner = np.array([[x + side * 0.15, EYE_Y - 0.13], [x - side * 0.12, EYE_Y], [x + side * 0.15, EYE_Y + 0.13]])
        pen.line(corner, INK, LINE)


def winking_eyes(pen: Pen, is_open: float, t: float) -> None:
    """The left eye stays open, the right one is shut for most of the loop."""
    _round_eye(pen, -EYE_X, is_open)
    if t < 0.2:
        _round_eye(pen, EYE_X, is_open)
        return
    pen.arc(EYE_X, EYE_Y + 0.06, (0.18, 0.16), (math.pi + 0.1, math.tau - 0.1), INK, LINE)


def heart_eyes(pen: Pen, is_open: float, t: float) -> None:
    beat = 1 + 0.14 * math.sin(2 * math.tau * t)
    for side in (-1, 1):
        pen.polygon(heart(side * EYE_X, EYE_Y, 0.27 * beat), RED)
        pen.dot(side * EYE_X - 0.11, EYE_Y - 0.1, 0.045, WHITE)


def wide_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        pen.ellipse(side * EYE_X, EYE_Y - 0.06, (0.25, 0.3 * max(is_open, 0.2)), INK)
        pen.ellipse(side * EYE_X, EYE_Y - 0.06, (0.185, 0.235 * max(is_open, 0.2)), WHITE)
        pen.ellipse(side * EYE_X, EYE_Y - 0.06, (0.075, 0.09 * is_open), INK)


def angry_eyes(pen: Pen, is_open: float, t: float) -> None:
    for side in (-1, 1):
        _round_eye(pen, side * EYE_X, is_open, size=0.9)
        brow = np.array([[side * 0.7, EYE_Y - 0.36], [side * 0.24, EYE_Y - 0.16]])
        pen.line(brow, INK, 0.11)


def wet_eyes(pen: Pen, is_open: float, t: float) -> None:
    """Large trembling eyes under worried brows."""
    tremble = 0.02 * math.sin(3 * math.tau * t)
    for side in (-1, 1):
        _round_eye(pen, side * EYE_X, is_open, size=1.25)
        if is_open >= 0.3:
            pen.ellipse(side * EYE_X, EYE_Y + 0.14 + tremble, (0.11, 0.05), (150, 200, 250))
        pen.line(np.array([[side * 0.66, EYE_Y - 0.27], [side * 0.3, EYE_Y - 0.4]]), INK, 0.075)


def spiral_eyes(pen: Pen, is_open: float, t: float) -> None:
    turns = np.linspace(0, 2.2 * math.tau, 40)
    for side in (-1, 1):
        angles = turns * side + math.tau * t
        radius = 0.02 + 0.19 * turns / turns[-1]
        points = np.column_stack([side * EYE_X + radius * np.cos(angles), EYE_Y + radius * np.sin(angles)])
        pen.line(points, INK, 0.05)


def sunglasses(pen: Pen, is_open: float, t: float) -> None:
    pen.line(np.array([[-0.8, EYE_Y - 0.16], [0.8, EYE_Y - 0.16]]), INK, 0.1)
    for side in (-1, 1):
        x = side * 0.42
        lens = np.array([[x - 0.32, -0.28], [x + 0.32, -0.28], [x + 0.24, 0.06], [x + 0.08, 0.14], [x - 0.18, 0.1]])
        pen.polygon(lens, INK)
        gleam = x - 0.07 - 0.15 * math.cos(math.tau * t)
        pen.line(np.array([[gleam, -0.04], [gleam + 0.1, -0.2]]), (170, 190, 210), 0.05)


def smile(pen: Pen, t: float) -> None:
    pen.arc(0, 0.2, (0.24, 0.2), (0.2, math.pi - 0.2), INK, LINE)


def grin(pen: Pen, t: float) -> None:
    """A wide open laughing mouth that moves a little."""
    depth = 0.36 + 0.05 * math.sin(2 * math.tau * t)
    angles = np.linspace(0, math.pi, 24)
    curve = np.column_stack([0.36 * np.cos(angles), 0.2 + depth * np.sin(angles)])
    pen.polygon(curve, MOUTH)
    pen.ellipse(0, 0.2 + depth * 0.76, (0.17, depth * 0.2), TONGUE)
    pen.line(curve, INK, LINE, closed=True)


def cat_mouth(pen: Pen, t: float) -> None:
    for side in (-1, 1):
        pen.arc(side * 0.13, 0.2, (0.13, 0.12), (0.1, math.pi - 0.1), INK, LINE * 0.9)


def frown(pen: Pen, t: float) -> None:
    pen.arc(0, 0.48, (0.2, 0.18), (math.pi + 0.3, math.tau - 0.3), INK, LINE)


def wailing(pen: Pen, t: float) -> None:
    """An open mouth, wide below, that trembles."""
    low = 0.58 + 0.03 * math.sin(2 * math.tau * t)
    angles = np.linspace(math.pi, math.tau, 20)
    curve = np.column_stack([0.3 * np.cos(angles), low + 0.34 * np.sin(angles)])
    pen.polygon(curve, MOUTH)
    pen.ellipse(0, low - 0.08, (0.17, 0.07), TONGUE)
    pen.line(curve, INK, LINE, closed=True)


def gritted(pen: Pen, t: float) -> None:
    """A zigzag of clenched teeth."""
    x = np.linspace(-0.3, 0.3, 7)
    y = 0.38 + 0.06 * np.where(np.arange(7) % 2 == 0, 1, -1)
    pen.line(np.column_stack([x, y]), INK, LINE)


def gasp(pen: Pen, t: float) -> None:
    """A tall open mouth; the tongue keeps it from being a letter."""
    tall = 0.22 + 0.05 * math.sin(math.tau * t)
    pen.ellipse(0, 0.42, (0.17, tall), INK)
    pen.ellipse(0, 0.43, (0.11, tall - 0.07), MOUTH)
    pen.ellipse(0, 0.43 + tall * 0.45, (0.09, tall * 0.26), TONGUE)


def tongue_out(pen: Pen, t: float) -> None:
    pen.ellipse(0.08, 0.43, (0.12, 0.15), INK)
    pen.ellipse(0.08, 0.42, (0.075, 0.11), TONGUE)
    pen.arc(0, 0.18, (0.26, 0.2), (0.2, math.pi - 0.2), INK, LINE)


def yawn(pen: Pen, t: float) -> None:
    size = 0.1 + 0.05 * math.sin(math.tau * t)
    pen.ellipse(0.02, 0.34, (size + 0.05, size + 0.04), INK)
    pen.ellipse(0.02, 0.35, (size, size - 0.01), MOUTH)


def drooling(pen: Pen, t: float) -> None:
    smile(pen, t)
    length = 0.14 + 0.12 * math.sin(math.pi * t) ** 2
    pen.ellipse(0.22, 0.36 + length / 2, (0.07, length), (130, 196, 246))


def wavy(pen: Pen, t: float) -> None:
    x = np.linspace(-0.28, 0.28, 20)
    pen.line(np.column_stack([x, 0.34 + 0.055 * np.sin(x * 24)]), INK, LINE)


def cheeks(pen: Pen) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.7, 0.2, (0.16, 0.1), CHEEK)

"""Background plan and moment of the loop -> the picture behind the figure.

Shapes: H height, W width, 4 = RGBA premultiplied.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.canvas import SUPERSAMPLE, WHITE, Colour, Pen, ellipse, mixed, new_pen, over, smooth

SCATTER = (0.7548777, 0.5698403)
"""Multiples of these, modulo 1, cover a square evenly without making lines (Roberts' R2 sequence)."""
FLOOR: Colour = (214, 170, 128)
SAND: Colour = (250, 226, 170)
SNOW: Colour = (244, 248, 255)


@dataclass(frozen=True, slots=True)
class Background:
    """What lies behind the figure: `kind` is transparent, flat, gradient or the name of a scene.

    top, bottom: colours of the soft gradient (equal if flat); scenes paint their things over it.
    """

    kind: str
    top: Colour
    bottom: Colour

    @property
    def is_transparent(self) -> bool:
        return self.kind == "transparent"

    @property
    def ground(self) -> Colour:
        """The colour on which a shadow falls."""
        return GROUNDS.get(self.kind, self.bottom)

    @property
    def is_moving(self) -> bool:
        return self.kind in MOVING_SCENES


def draw_background(background: Background, width: int, height: int, *, t: float) -> NDArray[np.uint8]:
    """Return the background (H, W, 4) at the moment `t` (0 to 1) of the loop."""
    if background.is_transparent:
        return np.zeros((height, width, 4), np.uint8)
    base = _gradient(background, width, height)
    if background.kind not in SCENES:
        return base
    pen = new_pen(width, height)
    unit = Pen(pen.pixels, np.array([[width, 0.0, 0.0], [0.0, height, 0.0]]) * SUPERSAMPLE)
    SCENES[background.kind](unit, background, t)
    return over(smooth(pen.pixels), base)


def _gradient(background: Background, width: int, height: int) -> NDArray[np.uint8]:
    share = np.linspace(0, 1, height)[:, None]
    column = np.array(background.top) * (1 - share) + np.array(background.bottom) * share
    frame = np.full((height, width, 4), 255, np.uint8)
    frame[..., :3] = np.rint(column)[:, None].astype(np.uint8)
    return frame


def _cloud(pen: Pen, x: float, y: float, size: float) -> None:
    for dx, dy, radius in ((-0.55, 0.1, 0.4), (0, -0.12, 0.55), (0.55, 0.1, 0.42)):
        pen.ellipse(x + dx * size, y + dy * size, (radius * size, radius * size * 0.7), WHITE)


def meadow(pen: Pen, background: Background, t: float) -> None:
    """Sun, two clouds that drift once around, two hills and flowers."""
    pen.dot(0.84, 0.15, 0.09, (255, 224, 120))
    for x, y, size in ((0.2, 0.16, 0.13), (0.66, 0.3, 0.09)):
        _cloud(pen, (x + 1.6 * t + 0.3) % 1.6 - 0.3, y, size)
    pen.ellipse(0.2, 1.12, (0.75, 0.42), (158, 216, 130))
    pen.ellipse(0.85, 1.2, (0.75, 0.42), (130, 200, 116))
    for x, y in ((0.08, 0.84), (0.22, 0.93), (0.9, 0.9), (0.72, 0.95), (0.97, 0.97)):
        for petal in range(5):
            angle = math.tau * petal / 5
            pen.dot(x + 0.018 * math.cos(angle), y + 0.018 * math.sin(angle), 0.013, WHITE)
        pen.dot(x, y, 0.012, (255, 200, 70))


def night(pen: Pen, background: Background, t: float) -> None:
    """A crescent moon, stars and a dark hill."""
    pen.dot(0.8, 0.18, 0.11, (255, 240, 180))
    pen.dot(0.85, 0.15, 0.095, mixed(background.top, background.bottom, 0.15))
    for number in range(14):
        x, y = number * SCATTER[0] % 1, number * SCATTER[1] % 1 * 0.7
        pen.dot(x, y, 0.006 + 0.004 * (number % 3), (255, 246, 214))
    pen.ellipse(0.3, 1.2, (0.9, 0.4), mixed(background.bottom, (30, 30, 70), 0.5))


def room(pen: Pen, background: Background, t: float) -> None:
    """Striped wall paper, a window and a floor."""
    stripe = mixed(background.top, WHITE, 0.35)
    for x in np.arange(0.05, 1, 0.2):
        pen.polygon(np.array([[x, 0], [x + 0.1, 0], [x + 0.1, 0.8], [x, 0.8]]), stripe)
    pen.polygon(np.array([[0.06, 0.1], [0.34, 0.1], [0.34, 0.44], [0.06, 0.44]]), (180, 132, 100))
    pen.polygon(np.array([[0.08, 0.12], [0.32, 0.12], [0.32, 0.42], [0.08, 0.42]]), (190, 228, 250))
    pen.line(np.array([[0.2, 0.12], [0.2, 0.42]]), (180, 132, 100), 0.016)
    pen.line(np.array([[0.08, 0.27], [0.32, 0.27]]), (180, 132, 100), 0.016)
    pen.polygon(np.array([[0, 0.8], [1, 0.8], [1, 1], [0, 1]]), FLOOR)
    pen.line(np.array([[0, 0.8], [1, 0.8]]), (176, 130, 96), 0.02)


def rays(pen: Pen, background: Background, t: float) -> None:
    """Rays that turn by one ray and its gap during the loop."""
    light = mixed(background.top, WHITE, 0.45)
    step = math.tau / 12
    for ray in range(12):
        angle = step * (ray + t)
        far = np.array([[math.cos(angle + a), math.sin(angle + a)] for a in (0.0, step / 2)]) * 1.2
        pen.polygon(np.array([[0.5, 0.5], *(far + 0.5)]), light)


def dots(pen: Pen, background: Background, t: float) -> None:
    light = mixed(background.top, WHITE, 0.5)
    for row in range(7):
        for column in range(7):
            pen.dot((column + 0.5 * (row % 2)) / 6, row / 6, 0.035, light)


def sea(pen: Pen, background: Background, t: float) -> None:
    """Sun over waves that travel by one wave length, and a beach."""
    pen.dot(0.2, 0.2, 0.1, (255, 232, 140))
    x = np.linspace(-0.05, 1.05, 60)
    for level, colour, way in ((0.6, (110, 190, 226), 1), (0.68, (84, 168, 214), -1)):
        crest = level + 0.018 * np.sin(math.tau * (4 * x + way * t))
        pen.polygon(np.vstack([np.column_stack([x, crest]), [[1.05, 1.1], [-0.05, 1.1]]]), colour)
    pen.polygon(ellipse(0.5, 1.12, (0.95, 0.3)), SAND)


def snow(pen: Pen, background: Background, t: float) -> None:
    """Flakes that fall by the whole height, over white ground."""
    pen.ellipse(0.4, 1.15, (0.95, 0.32), SNOW)
    for number in range(26):
        y = (number * SCATTER[1] + t) % 1 * 1.1 - 0.05
        pen.dot(
            (number * SCATTER[0] + 0.02 * math.sin(math.tau * t + number)) % 1,
            y,
            0.009 + 0.005 * (number % 3),
            WHITE,
        )


SCENES: dict[str, Callable[[Pen, Background, float], None]] = {
    "meadow": meadow,
    "night": night,
    "room": room,
    "rays": rays,
    "dots": dots,
    "sea": sea,
    "snow": snow,
}
GROUNDS: dict[str, Colour] = {
    "meadow": (140, 206, 120),
    "night": (56, 54, 106),
    "room": FLOOR,
    "sea": SAND,
    "snow": SNOW,
}
MOVING_SCENES = ("meadow", "rays", "sea", "snow")

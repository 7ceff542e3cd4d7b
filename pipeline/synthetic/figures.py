"""Shape name -> the outline, colours and details of a figure about 2 units wide and high, centred on zero."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.canvas import INK, WHITE, Colour, Pen, Points, ellipse, heart, mixed, rounded

PINK: Colour = (255, 170, 178)
OUTLINE_WIDTH = 0.085
BORDER_WIDTH = 0.30

Details = Callable[[Pen, Colour], None]
"""Draws on a body of the given colour."""


def no_details(pen: Pen, colour: Colour) -> None:
    """Leave the body as it is."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A silhouette made of overlapping parts that share one outline, and where its face sits.

    face: x, y of the middle of the face and its scale; hand: x, y of the shoulder of a waving arm.
    colours: what the body may be painted in; details: drawn over the body and under the face.
    """

    parts: tuple[Points, ...]
    face: tuple[float, float, float]
    colours: tuple[Colour, ...]
    details: Details = no_details
    hand: tuple[float, float] = (0.85, 0.2)


def draw_body(pen: Pen, figure: Figure, colour: Colour, *, has_border: bool) -> None:
    """Draw outline, fill and a shade at the lower right; `has_border` puts a white die-cut rim around."""
    if has_border:
        for part in figure.parts:
            pen.line(part, WHITE, BORDER_WIDTH, closed=True)
    outline = mixed(colour, INK, 0.82)
    for part in figure.parts:
        pen.line(part, outline, 2 * OUTLINE_WIDTH, closed=True)
    for part in figure.parts:
        pen.polygon(part, mixed(colour, (120, 60, 110), 0.22))
    for part in figure.parts:
        centre = (part.min(axis=0) + part.max(axis=0)) / 2
        pen.polygon((part - centre) * 0.93 + centre - np.array([0.035, 0.05]), colour)
    figure.details(pen, colour)


def draw_arm(pen: Pen, figure: Figure, colour: Colour, angle: float) -> None:
    """Draw a short raised arm that is turned by `angle` radians against straight up and to the right."""
    shoulder = pen.moved(*figure.hand, angle=angle)
    arm = np.array([[-0.1, 0.1], [0.22, -0.1], [0.34, -0.42]])
    shoulder.line(arm, mixed(colour, INK, 0.82), 0.36)
    shoulder.line(arm, colour, 0.22)


def _shine(x: float, y: float, size: float = 1.0) -> Details:
    def draw(pen: Pen, colour: Colour) -> None:
        light = mixed(colour, WHITE, 0.65)
        pen.ellipse(x, y, (0.2 * size, 0.11 * size), light, angle=-0.7)
        pen.dot(x - 0.16 * size, y + 0.24 * size, 0.055 * size, light)

    return draw


def _cat_details(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        ear = [(side * 0.84, -0.86), (side * 0.8, -0.45), (side * 0.45, -0.66)]
        pen.polygon(rounded(ear, rounds=2), PINK)
        for tilt in (-0.06, 0.12):
            whisker = np.array([[side * 0.78, 0.3 + tilt], [side * 1.16, 0.24 + 2.4 * tilt]])
            pen.line(whisker, mixed(colour, INK, 0.82), 0.045)
    for x in (-0.16, 0, 0.16):
        pen.line(np.array([[x, -0.66], [x, -0.5 + 0.08 * (x == 0)]]), mixed(colour, INK, 0.35), 0.07)


def _bear_details(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.dot(side * 0.72, -0.72, 0.17, mixed(colour, PINK, 0.7))
    pen.ellipse(0, 0.38, (0.5, 0.36), mixed(colour, WHITE, 0.62))
    pen.ellipse(0, 0.2, (0.13, 0.085), INK)


def _bunny_details(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.32, -0.68, (0.09, 0.3), PINK, angle=side * 0.16)


def _onigiri_details(pen: Pen, colour: Colour) -> None:
    pen.polygon(rounded([(-0.4, 0.55), (0.4, 0.55), (0.42, 1.12), (-0.42, 1.12)], rounds=2), (56, 72, 66))
    _shine(-0.34, -0.5, 0.8)(pen, mixed(colour, (150, 130, 140), 0.2))


def _toast_details(pen: Pen, colour: Colour) -> None:
    pen.polygon(_toast_outline() * 0.8, mixed(colour, (255, 244, 214), 0.78))


def _toast_outline() -> Points:
    right = [(0.5, -1.0), (1.1, -0.9), (1.12, -0.35), (0.86, -0.2), (0.94, 0.95)]
    left = [(-x, y) for x, y in reversed(right)]
    return rounded([*right, *left])


def _star() -> Points:
    corners = []
    for corner in range(10):
        radius = 1.32 if corner % 2 == 0 else 0.74
        angle = math.pi * corner / 5 - math.pi / 2
        corners.append((radius * math.cos(angle), radius * math.sin(angle) + 0.08))
    return rounded(corners)


def _ghost() -> Points:
    dome = [(math.cos(a), math.sin(a) - 0.1) for a in np.linspace(math.pi, math.tau, 24)]
    xs = np.linspace(1, -1, 40)
    hem = [(float(x), 0.86 + 0.15 * math.cos(3 * math.pi * (x + 1))) for x in xs]
    return np.array(dome + hem)


def _blob() -> Points:
    right = [(0.12, -1.12), (0.3, -0.8), (0.72, -0.45), (1.05, 0.2), (1.12, 0.82), (0.7, 0.98)]
    left = [(-x, y) for x, y in reversed(right)]
    return rounded([*right, *left[:-1], (-0.05, -1.2)])


def _cloud() -> tuple[Points, ...]:
    puffs = [(-0.72, 0.28, 0.46), (-0.3, -0.3, 0.58), (0.4, -0.26, 0.54), (0.74, 0.3, 0.46), (0, 0.28, 0.62)]
    return tuple(ellipse(x, y, (r, r)) for x, y, r in puffs)


def _ears(points: list[tuple[float, float]]) -> tuple[Points, Points]:
    return rounded(points, rounds=2), rounded([(-x, y) for x, y in points], rounds=2)


YELLOWS: tuple[Colour, ...] = ((255, 214, 84), (255, 200, 92))
PASTELS: tuple[Colour, ...] = (
    (150, 216, 240),
    (176, 226, 168),
    (255, 186, 150),
    (202, 180, 244),
    (255, 178, 200),
)
FURS: tuple[Colour, ...] = (
    (255, 196, 120),
    (236, 228, 222),
    (178, 186, 204),
    (214, 172, 136),
    (250, 214, 170),
)
LIGHTS: tuple[Colour, ...] = ((250, 250, 252), (240, 240, 250), (255, 240, 244))

HEAD = ellipse(0, 0.12, (1.06, 0.88))

FIGURES: dict[str, Figure] = {
    "round": Figure((ellipse(0, 0, (1, 1)),), (0, 0, 1.0), (*YELLOWS, *PASTELS), _shine(-0.52, -0.62)),
    "heart": Figure((heart(0, 0.02, 1.1),), (0, -0.12, 0.82), ((255, 120, 136), (255, 150, 176)), _shine(-0.66, -0.5)),
    "star": Figure((_star(),), (0, 0.12, 0.74), ((255, 214, 84), (255, 190, 110)), _shine(-0.16, -0.68, 0.7)),
    "blob": Figure((_blob(),), (0, 0.3, 0.9), PASTELS, _shine(-0.42, -0.34, 0.8)),
    "ghost": Figure((_ghost(),), (0, -0.12, 0.86), LIGHTS, no_details, (0.82, 0.25)),
    "cat": Figure((HEAD, *_ears([(0.98, -1.22), (1.04, -0.1), (0.2, -0.72)])), (0, 0.16, 0.88), FURS, _cat_details),
    "bear": Figure(
        (HEAD, ellipse(-0.74, -0.7, (0.36, 0.36)), ellipse(0.74, -0.7, (0.36, 0.36))),
        (0, 0.1, 0.88),
        ((196, 144, 108), (224, 178, 132), (246, 240, 234)),
        _bear_details,
    ),
    "bunny": Figure(
        (
            ellipse(0, 0.42, (0.86, 0.68)),
            ellipse(-0.32, -0.55, (0.22, 0.56), angle=-0.16),
            ellipse(0.32, -0.55, (0.22, 0.56), angle=0.16),
        ),
        (0, 0.42, 0.7),
        ((255, 250, 250), (255, 222, 230), (226, 216, 208)),
        _bunny_details,
        (0.7, 0.5),
    ),
    "cloud": Figure(_cloud(), (0, 0.12, 0.76), ((250, 252, 255), (206, 228, 250), (255, 224, 236)), no_details),
    "onigiri": Figure(
        (
            rounded(
                [
                    (0, -1.3),
                    (0.42, -1.12),
                    (1.24, 0.75),
                    (1.0, 1.06),
                    (-1.0, 1.06),
                    (-1.24, 0.75),
                    (-0.42, -1.12),
                ]
            ),
        ),
        (0, 0.08, 0.72),
        ((255, 253, 248),),
        _onigiri_details,
        (0.72, 0.3),
    ),
    "toast": Figure((_toast_outline(),), (0, 0.08, 0.78), ((222, 158, 92),), _toast_details, (0.78, 0.25)),
}

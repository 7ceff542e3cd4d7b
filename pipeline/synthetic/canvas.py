"""Shapes in figure units -> smooth pixels: everything is drawn three times too large, then averaged.

Shapes: N points, H height, W width, S = SUPERSAMPLE.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SUPERSAMPLE = 3
SUBPIXEL_BITS = 4

Colour = tuple[int, int, int]
Pair = tuple[float, float]
Points = NDArray[np.float64]
"""(N, 2): x to the right, y downwards, in the units of the pen."""

INK: Colour = (58, 40, 44)
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws opaque flat colours on `pixels` (H*S, W*S, 4) through `matrix` (2, 3): own units -> pixels."""

    pixels: NDArray[np.uint8]
    matrix: NDArray[np.float64]

    def moved(
        self,
        x: float,
        y: float,
        *,
        angle: float = 0.0,
        scale: float = 1.0,
        stretch: Pair = (1, 1),
    ) -> "Pen":
        """Return a pen whose origin lies at (x, y) of this one, turned by `angle` radians, then scaled."""
        cos, sin = math.cos(angle), math.sin(angle)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag(np.array(stretch) * scale)
        origin = self.matrix @ np.array([x, y, 1.0])
        return Pen(self.pixels, np.column_stack([self.matrix[:, :2] @ linear, origin]))

    def polygon(self, points: Points, colour: Colour) -> None:
        cv2.fillPoly(self.pixels, [self._place(points)], (*colour, 255), shift=SUBPIXEL_BITS)

    def line(self, points: Points, colour: Colour, width: float, *, closed: bool = False) -> None:
        """Draw a line with round ends, `width` in the units of the pen."""
        thickness = max(1, round(width * math.sqrt(abs(np.linalg.det(self.matrix[:, :2])))))
        placed = [self._place(points)]
        cv2.polylines(self.pixels, placed, closed, (*colour, 255), thickness, shift=SUBPIXEL_BITS)

    def ellipse(self, x: float, y: float, size: Pair, colour: Colour, *, angle: float = 0.0) -> None:
        """Fill an ellipse with the radii `size`."""
        self.polygon(ellipse(x, y, size, angle=angle), colour)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.ellipse(x, y, (radius, radius), colour)

    def arc(
        self,
        x: float,
        y: float,
        size: Pair,
        span: Pair,
        colour: Colour,
        width: float,
    ) -> None:
        """Draw the part of an ellipse between two angles in radians (0 points right, pi / 2 down)."""
        angles = np.linspace(*span, 16)
        points = np.column_stack([x + size[0] * np.cos(angles), y + size[1] * np.sin(angles)])
        self.line(points, colour, width)

    def _place(self, points: Points) -> NDArray[np.int32]:
        placed = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.rint(placed * (1 << SUBPIXEL_BITS)).astype(np.int32)


def new_pen(width: int, height: int) -> Pen:
    """Return a pen on an empty sheet; its unit is one final pixel, its origin the top left corner."""
    sheet = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE, 4), np.uint8)
    return Pen(sheet, np.array([[SUPERSAMPLE, 0.0, 0.0], [0.0, SUPERSAMPLE, 0.0]]))


def smooth(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average a sheet (H*S, W*S, 4) down to (H, W, 4); emptiness is zero, so the result is premultiplied."""
    size = (sheet.shape[1] // SUPERSAMPLE, sheet.shape[0] // SUPERSAMPLE)
    return np.asarray(cv2.resize(sheet, size, interpolation=cv2.INTER_AREA), np.uint8)


def over(front: NDArray[np.uint8], back: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay premultiplied `front` (..., 4) over premultiplied `back` of the same shape."""
    shade = np.uint16(255) - front[..., 3:]
    return front + ((back * shade + 127) // 255).astype(np.uint8)


def ellipse(x: float, y: float, size: Pair, *, angle: float = 0.0, num: int = 48) -> Points:
    """Return the outline (num, 2) of an ellipse with the radii `size`."""
    angles = np.linspace(0, math.tau, num, endpoint=False)
    flat: Points = np.column_stack([size[0] * np.cos(angles), size[1] * np.sin(angles)])
    cos, sin = math.cos(angle), math.sin(angle)
    turned: Points = flat @ np.array([[cos, sin], [-sin, cos]]) + np.array([x, y])
    return turned


def rounded(corners: list[Pair], *, rounds: int = 3) -> Points:
    """Cut the corners of a closed polygon `rounds` times (Chaikin), which leaves a smooth curve."""
    points: Points = np.array(corners, np.float64)
    for _ in range(rounds):
        after = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], axis=1).reshape(-1, 2)
    return points


def heart(x: float, y: float, size: float) -> Points:
    """Return the outline (64, 2) of a heart about `2 * size` wide."""
    a = np.linspace(0, math.tau, 64, endpoint=False)
    across = np.sin(a) ** 3
    down = -(13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)) / 16
    return np.column_stack([x + size * across, y + size * down])


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Return `colour` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue

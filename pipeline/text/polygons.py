"""Polygons: four corners -> sizes, overlaps and pixels.

A polygon is eight floats, clockwise from the top left; the pixel in column i covers i to i + 1.
"""

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.text import Polygon

Corners = NDArray[np.float64]  # (4, 2) of x, y


def corners_of(polygon: Polygon) -> Corners:
    """Return the corners as an array (4, 2)."""
    return np.asarray(polygon, np.float64).reshape(4, 2)


def polygon_of(corners: Corners) -> Polygon:
    """Return an array (4, 2) as a polygon, to a hundredth of a pixel."""
    return [round(float(value), 2) for value in corners.reshape(-1)]


def bounds(polygon: Polygon) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom."""
    corners = corners_of(polygon)
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    return float(left), float(top), float(right), float(bottom)


def window(polygon: Polygon, shape: tuple[int, int], *, margin: float = 0.0) -> tuple[slice, slice]:
    """Return the rows and columns of a canvas (H, W) that hold the polygon and `margin` pixels around it."""
    left, top, right, bottom = bounds(polygon)
    rows = clipped(math.floor(top - margin), math.ceil(bottom + margin), shape[0])
    columns = clipped(math.floor(left - margin), math.ceil(right + margin), shape[1])
    return rows, columns


def clipped(start: int, stop: int, size: int) -> slice:
    """Return the part of start to stop that lies within 0 to size; empty if none does."""
    first = min(max(start, 0), size)
    return slice(first, min(max(stop, first), size))


def text_height(polygon: Polygon) -> float:
    """Return the height of the line in pixels: the shorter of the two mean side lengths, at least 1."""
    corners = corners_of(polygon)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return max(1.0, float(min(sides[0] + sides[2], sides[1] + sides[3])) / 2)


def tilt(polygon: Polygon) -> float:
    """Return by how many degrees the top side leans clockwise."""
    corners = corners_of(polygon)
    across = corners[1] - corners[0] + corners[2] - corners[3]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def centre(polygon: Polygon) -> NDArray[np.float64]:
    """Return x, y of the middle."""
    return np.asarray(corners_of(polygon).mean(0), np.float64)


def area(polygon: Polygon) -> float:
    """Return the area in square pixels."""
    return float(cv2.contourArea(corners_of(polygon).astype(np.float32)))


def shift(polygon: Polygon, dx: float, dy: float) -> Polygon:
    """Return the polygon moved right by dx and down by dy pixels."""
    return polygon_of(corners_of(polygon) + np.array([dx, dy]))


def grow(polygon: Polygon, by: float) -> Polygon:
    """Return the polygon with every side moved outwards by so many pixels."""
    corners = corners_of(polygon)
    along = _unit(corners[1] - corners[0] + corners[2] - corners[3])
    down = _unit(corners[3] - corners[0] + corners[2] - corners[1])
    outwards = np.stack([-along - down, along - down, along + down, down - along])
    return polygon_of(corners + by * outwards)


def enclose(one: Polygon, other: Polygon) -> Polygon:
    """Return the smallest box along the first polygon's top side that holds both polygons."""
    return box_around(corners_of(one), np.concatenate([corners_of(one), corners_of(other)]))


def box_around(corners: Corners, points: NDArray[np.float64], *, spread: float = 0.0) -> Polygon:
    """Return the smallest box around points (N, 2) that lies along a polygon's own directions.

    spread: how far each point reaches in x and in y, half a pixel for the centre of one.
    """
    across = _unit(corners[1] - corners[0] + corners[2] - corners[3])
    down = np.array([-across[1], across[0]])
    half = spread * float(np.abs(across).sum())
    u, v = points @ across, points @ down
    left, right, top, bottom = u.min() - half, u.max() + half, v.min() - half, v.max() + half
    sides = ((left, top), (right, top), (right, bottom), (left, bottom))
    return polygon_of(np.stack([along * across + below * down for along, below in sides]))


def visible_share(polygon: Polygon, shape: tuple[int, int]) -> float:
    """Return the share of the polygon that lies on a canvas (H, W), 0 to 1."""
    height, width = map(float, shape)
    canvas = [0.0, 0.0, width, 0.0, width, height, 0.0, height]
    return min(1.0, intersection(polygon, canvas) / max(area(polygon), 1e-9))


def intersection(one: Polygon, other: Polygon) -> float:
    """Return the area that two convex polygons share, in square pixels."""
    shared, _ = cv2.intersectConvexConvex(corners_of(one).astype(np.float32), corners_of(other).astype(np.float32))
    return float(shared)


def overlap(one: Polygon, other: Polygon) -> float:
    """Return intersection over union, 0 to 1."""
    shared = intersection(one, other)
    union = area(one) + area(other) - shared
    return shared / union if union > 0 else 0.0


def rasterise(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a canvas (H, W) whose centre lies inside the convex polygon or on its edge."""
    inside = np.zeros(shape, bool)
    rows, columns = window(polygon, shape)
    y, x = np.mgrid[rows, columns] + 0.5
    corners = corners_of(polygon)
    sides = np.stack(
        [
            (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
    )
    inside[rows, columns] = (sides >= 0).all(0) | (sides <= 0).all(0)
    return inside


def union_area(polygons: Iterable[Polygon], shape: tuple[int, int]) -> float:
    """Return the share of a canvas (H, W) that the polygons cover together, 0 to 1."""
    covered = np.zeros(shape, bool)
    for polygon in polygons:
        covered |= rasterise(polygon, shape)
    return float(covered.mean())


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else np.zeros(2)

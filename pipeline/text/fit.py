"""Fit: OCR's generous polygon -> one that lies tight around the ink.

Shapes: H height, W width of the canvas; h, w of the cut-out around the text; 3 = RGB, 4 = straight RGBA.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.text.backdrop import lay_over
from pipeline.text.polygons import (
    box_around,
    corners_of,
    grow,
    polygon_of,
    rasterise,
    shift,
    text_height,
    window,
)
from schemas.text import Polygon

REACH = 0.3  # text heights around the polygon that are looked at
SPILL = 0.12  # text heights by which ink may stick out of OCR's polygon
SURPLUS = 0.1  # text heights by which OCR's polygon is larger than the ink, as measured over flat ground
SAME_COLOUR = 24  # grey levels in the channel that differs most
INK = 48  # grey levels from the ground at which a pixel counts as ink
AT_EDGE = 1.5  # pixels from the edge of the canvas
FLAT_SHARE = 0.9  # of the surroundings must be of one colour, or the ink cannot be told from the picture


def fit_polygon(frame: NDArray[np.uint8], polygon: Polygon, *, grey: int) -> Polygon:
    """Return the polygon moved to the ink where it stands on one colour, else made smaller by the usual surplus."""
    height, shape = text_height(polygon), (frame.shape[0], frame.shape[1])
    rows, columns = window(polygon, shape, margin=REACH * height)
    pixels = lay_over(frame[rows, columns], grey).astype(np.int16)
    local = shift(polygon, -columns.start, -rows.start)
    near = rasterise(grow(local, SPILL * height), pixels.shape[:2])
    around = rasterise(grow(local, REACH * height), pixels.shape[:2]) & ~near
    smaller = _smaller(polygon, SURPLUS * height, shape)
    if around.sum() < height:
        return smaller
    ground = np.median(pixels[around], axis=0)
    distance = np.abs(pixels - ground).max(2)
    if (distance[around] < SAME_COLOUR).mean() < FLAT_SHARE:
        return smaller
    ink = near & (distance > INK)
    if not ink.any():
        return smaller
    centres = np.stack(np.nonzero(ink)[::-1], axis=1).astype(np.float64) + 0.5  # N, 2 of x, y
    return shift(box_around(corners_of(local), centres, spread=0.5), columns.start, rows.start)


def _smaller(polygon: Polygon, by: float, shape: tuple[int, int]) -> Polygon:
    """Return the polygon made smaller, except where it reaches the edge of the canvas (H, W): there ink is cut off."""
    corners = corners_of(polygon)
    inner = corners_of(grow(polygon, -by))
    for axis, size in ((0, shape[1]), (1, shape[0])):
        inner[:, axis] = np.where(corners[:, axis] <= AT_EDGE, 0, inner[:, axis])
        inner[:, axis] = np.where(corners[:, axis] >= size - AT_EDGE, size, inner[:, axis])
    return polygon_of(inner)

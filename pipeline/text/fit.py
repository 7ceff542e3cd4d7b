"""Fit: OCR's generous polygon -> one that lies tight around the ink.

Shapes: H height, W width of the canvas; h, w of the cut-out around the text; 3 = RGB, 4 = straight RGBA.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.text.backdrop import lay_over
from pipeline.text.polygons import Corners, corners_of, grow, polygon_of, rasterise, shift, text_height, window
from schemas.text import Polygon

REACH = 0.3  # text heights around the polygon that are looked at
SPILL = 0.12  # text heights by which ink may stick out of OCR's polygon
SURPLUS = 0.1  # text heights by which OCR's polygon is larger than the ink, as measured over flat ground
SAME_COLOUR = 24  # grey levels in the channel that differs most
INK = 48  # grey levels from the ground at which a pixel counts as ink
FLAT_SHARE = 0.9  # of the surroundings must be of one colour, or the ink cannot be told from the picture


def fit_polygon(frame: NDArray[np.uint8], polygon: Polygon, *, grey: int) -> Polygon:
    """Return the polygon moved to the ink where it stands on one colour, else made smaller by the usual surplus."""
    height = text_height(polygon)
    rows, columns = window(polygon, (frame.shape[0], frame.shape[1]), margin=REACH * height)
    pixels = lay_over(frame[rows, columns], grey).astype(np.int16)
    local = shift(polygon, -columns.start, -rows.start)
    near = rasterise(grow(local, SPILL * height), pixels.shape[:2])
    around = rasterise(grow(local, REACH * height), pixels.shape[:2]) & ~near
    smaller = grow(polygon, -SURPLUS * height)
    if around.sum() < height:
        return smaller
    ground = np.median(pixels[around], axis=0)
    distance = np.abs(pixels - ground).max(2)
    if (distance[around] < SAME_COLOUR).mean() < FLAT_SHARE:
        return smaller
    ink = near & (distance > INK)
    if not ink.any():
        return smaller
    return shift(_around(corners_of(local), ink), columns.start, rows.start)


def _around(corners: Corners, ink: NDArray[np.bool_]) -> Polygon:
    """Return the smallest box around the ink (h, w) that lies along the polygon's own directions."""
    across = corners[1] - corners[0] + corners[2] - corners[3]
    across = across / max(1e-9, float(np.linalg.norm(across)))
    down = np.array([-across[1], across[0]])
    y, x = np.nonzero(ink)
    centres = np.stack([x + 0.5, y + 0.5], axis=1)
    half = 0.5 * np.abs(across).sum()  # half the width of a pixel seen along the axis
    u, v = centres @ across, centres @ down
    left, right, top, bottom = u.min() - half, u.max() + half, v.min() - half, v.max() + half
    sides = ((left, top), (right, top), (right, bottom), (left, bottom))
    return polygon_of(np.stack([along * across + below * down for along, below in sides]))

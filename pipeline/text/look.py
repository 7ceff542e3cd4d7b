"""Look: a text's pixels on one frame -> how much another frame shows the same there, or nearby.

Shapes: H height, W width of the canvas; h, w of the cut-out around the text; 3 = RGB.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.text.backdrop import lay_over
from pipeline.text.polygons import grow, rasterise, shift, text_height, window
from schemas.text import Polygon

MARGIN = 0.1  # of the text height, around the polygon
STRONG_EDGE = 0.35  # of the strong edges in the polygon: what else counts as the rim of a stroke
FLAT = 4.0  # grey levels of standard deviation below which a channel tells nothing


@dataclass(frozen=True, slots=True)
class Look:
    """A text cut out of one frame: pixels (h, w, 3), the strokes' rims (h, w), and where the cut-out lies."""

    pixels: NDArray[np.float32]
    rims: NDArray[np.bool_]
    top: int
    left: int
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Match:
    """Where a look was found again: its shift in whole pixels and the likeness there."""

    dx: int
    dy: int
    likeness: float


def cut_look(frame: NDArray[np.uint8], polygon: Polygon, *, grey: int) -> Look:
    """Cut the text out of one frame (H, W, 4)."""
    margin = max(1.0, MARGIN * text_height(polygon))
    shape = (frame.shape[0], frame.shape[1])
    rows, columns = window(polygon, shape, margin=margin)
    pixels = lay_over(frame[rows, columns], grey)
    inside = rasterise(grow(shift(polygon, -columns.start, -rows.start), margin), pixels.shape[:2])
    return Look(pixels.astype(np.float32), _rims(pixels, inside), rows.start, columns.start, polygon)


def likeness_at(look: Look, frame: NDArray[np.uint8], *, grey: int, dx: int = 0, dy: int = 0) -> float:
    """Return the best channel's correlation, sign ignored, between the look and the frame (H, W, 4) at a shift.

    Only the strokes' rims are compared, so that a figure passing behind matters little; a colour that changes or
    turns round keeps the likeness. 0 where the text would stick out of the canvas by more than a third.
    """
    height, width = look.rims.shape
    top, left = look.top + dy, look.left + dx
    rows = slice(max(0, top), min(frame.shape[0], top + height))
    columns = slice(max(0, left), min(frame.shape[1], left + width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return 0.0
    here = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    rims = look.rims[here]
    if rims.sum() < max(1, 2 * look.rims.sum() / 3):
        return 0.0
    shown = lay_over(frame[rows, columns], grey)[rims].astype(np.float64)  # rim pixels, 3
    return _correlation(look.pixels[here][rims].astype(np.float64), shown)


def find_look(look: Look, frame: NDArray[np.uint8], *, grey: int, dx: int, dy: int, radius: int) -> Match:
    """Return where within `radius` pixels of a shift the look is met best in the frame (H, W, 4)."""
    stay = Match(dx, dy, likeness_at(look, frame, grey=grey, dx=dx, dy=dy))
    if radius <= 0 or not look.rims.any():
        return stay
    height, width = look.rims.shape
    top, left = look.top + dy - radius, look.left + dx - radius
    field = _padded(frame, top, left, height + 2 * radius, width + 2 * radius, grey)
    channel = int(np.argmax(look.pixels[look.rims].std(0)))
    template = np.ascontiguousarray(look.pixels[..., channel])
    scores = cv2.matchTemplate(
        np.ascontiguousarray(field[..., channel]),
        template,
        cv2.TM_CCOEFF_NORMED,
        mask=look.rims.astype(np.float32),
    )
    scores = np.where(np.isfinite(scores) & (np.abs(scores) <= 1.001), scores, -1.0)
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    moved_dx, moved_dy = dx + int(x) - radius, dy + int(y) - radius
    moved = Match(moved_dx, moved_dy, likeness_at(look, frame, grey=grey, dx=moved_dx, dy=moved_dy))
    return moved if moved.likeness > stay.likeness else stay


def _rims(pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) on and beside strong edges inside the polygon."""
    if pixels.size == 0 or not inside.any():
        return np.zeros(pixels.shape[:2], bool)
    square = np.ones((3, 3), np.uint8)
    edges = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, square).reshape(pixels.shape).max(2)
    strong = inside & (edges > STRONG_EDGE * np.percentile(edges[inside], 95)) & (edges > FLAT)
    return np.asarray(strong, bool)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the largest absolute correlation over the channels of two sets of pixels (N, 3)."""
    one, other = one - one.mean(0), other - other.mean(0)
    spread = np.sqrt((one**2).mean(0)), np.sqrt((other**2).mean(0))
    told = (spread[0] > FLAT) & (spread[1] > FLAT)
    if not told.any():
        return 0.0
    products = (one * other).mean(0)[told] / (spread[0] * spread[1])[told]
    return float(min(1.0, np.abs(products).max()))


def _padded(
    frame: NDArray[np.uint8], top: int, left: int, height: int, width: int, grey: int
) -> NDArray[np.float32]:
    """Return a cut-out (height, width, 3) that may reach beyond the canvas, where it is the backdrop's grey."""
    field = np.full((height, width, 3), grey, np.float32)
    rows = slice(max(0, top), min(frame.shape[0], top + height))
    columns = slice(max(0, left), min(frame.shape[1], left + width))
    if rows.start < rows.stop and columns.start < columns.stop:
        shown = lay_over(frame[rows, columns], grey)
        field[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = shown
    return field

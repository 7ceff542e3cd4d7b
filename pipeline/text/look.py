"""Look: a text's pixels on one frame -> how much another frame shows the same there, or nearby.

Shapes: H height, W width of the canvas; h, w of the cut-out around the text; 3 = RGB, 4 = straight RGBA.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.text.backdrop import lay_over
from pipeline.text.polygons import clipped, grow, rasterise, shift, text_height, window
from schemas.text import Polygon

Frame = NDArray[np.uint8]
Window = tuple[slice, slice]

MARGIN = 0.1  # of the text height, around the polygon
STRONG_EDGE = 0.35  # of the strong edges in the polygon: what else counts as the rim of a stroke
FLAT = 4.0  # grey levels of standard deviation below which a channel tells nothing
FAINT = 0.25  # of the look's contrast: less than this is something else shining through
TELLING = 0.5  # of the best channel's contrast: channels with less are not compared
MIN_VISIBLE = 0.15  # share of the rims that must lie on the canvas
MIN_RIM_PIXELS = 24


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


def cut_look(frame: Frame, polygon: Polygon, *, grey: int) -> Look:
    """Cut the text out of one frame (H, W, 4)."""
    margin = max(1.0, MARGIN * text_height(polygon))
    rows, columns = window(polygon, (frame.shape[0], frame.shape[1]), margin=margin)
    pixels = lay_over(frame[rows, columns], grey)
    local = grow(shift(polygon, -columns.start, -rows.start), margin)
    inside = rasterise(local, (pixels.shape[0], pixels.shape[1]))
    return Look(pixels.astype(np.float32), _rims(pixels, inside), rows.start, columns.start, polygon)


def likeness_at(look: Look, frame: Frame, *, grey: int, dx: int = 0, dy: int = 0) -> float:
    """Return the best channel's correlation, sign ignored, between the look and the frame (H, W, 4) at a shift.

    Only the strokes' rims are compared, so that a figure passing behind matters little; letters whose colours turn
    round keep their likeness. What sticks out of the canvas is left out; 0 if too little is left.
    """
    there, here = _windows(look, frame, dx=dx, dy=dy)
    rims = look.rims[here]
    if not _is_enough(rims, look.rims):
        return 0.0
    shown = lay_over(frame[there], grey)[rims].astype(np.float64)  # rim pixels, 3
    return _correlation(look.pixels[here][rims].astype(np.float64), shown)


def find_look(look: Look, frame: Frame, *, grey: int, dx: int, dy: int, radius: int) -> Match:
    """Return where within `radius` pixels of a shift the look is met best in the frame (H, W, 4).

    Of a text that is leaving the canvas, the part is sought that is visible at that shift.
    """
    _, here = _windows(look, frame, dx=dx, dy=dy)
    rims = look.rims[here]
    if not _is_enough(rims, look.rims):
        return Match(dx, dy, 0.0)
    part = replace(
        look,
        pixels=look.pixels[here],
        rims=rims,
        top=look.top + here[0].start,
        left=look.left + here[1].start,
    )
    height, width = rims.shape
    top, left = part.top + dy - radius, part.left + dx - radius
    field = _field(frame, top, left, (height + 2 * radius, width + 2 * radius), grey=grey)
    channel = int(np.argmax(part.pixels[rims].std(0)))
    scores = cv2.matchTemplate(
        np.ascontiguousarray(field[..., channel]),
        np.ascontiguousarray(part.pixels[..., channel]),
        cv2.TM_CCOEFF_NORMED,
        mask=rims.astype(np.float32),
    )
    scores = np.where(np.isfinite(scores) & (np.abs(scores) <= 1.001), scores, -1.0)
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    found_dx, found_dy = dx + int(x) - radius, dy + int(y) - radius
    return Match(found_dx, found_dy, likeness_at(part, frame, grey=grey, dx=found_dx, dy=found_dy))


def _rims(pixels: Frame, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) on and beside strong edges inside the polygon."""
    if pixels.size == 0 or not inside.any():
        return np.zeros(pixels.shape[:2], bool)
    square = np.ones((3, 3), np.uint8)
    edges = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, square).reshape(pixels.shape).max(2)
    return np.asarray(inside & (edges > STRONG_EDGE * np.percentile(edges[inside], 95)) & (edges > FLAT), np.bool_)


def _windows(look: Look, frame: Frame, *, dx: int, dy: int) -> tuple[Window, Window]:
    """Return the part of the canvas that a moved look covers, and the part of the look that is on the canvas."""
    height, width = look.rims.shape
    top, left = look.top + dy, look.left + dx
    rows = clipped(top, top + height, frame.shape[0])
    columns = clipped(left, left + width, frame.shape[1])
    here = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return (rows, columns), here


def _is_enough(visible: NDArray[np.bool_], rims: NDArray[np.bool_]) -> bool:
    num = int(visible.sum())
    return num >= MIN_VISIBLE * rims.sum() and num >= min(MIN_RIM_PIXELS, rims.sum()) and num > 0


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the largest absolute correlation over the telling channels of two sets of pixels (N, 3)."""
    one, other = one - one.mean(0), other - other.mean(0)
    spread = np.sqrt((one**2).mean(0)), np.sqrt((other**2).mean(0))
    told = (spread[0] > max(FLAT, TELLING * spread[0].max())) & (spread[1] > FLAT)
    told &= spread[1] > FAINT * spread[0]
    if not told.any():
        return 0.0
    products = (one * other).mean(0)[told] / (spread[0] * spread[1])[told]
    return float(min(1.0, np.abs(products).max()))


def _field(frame: Frame, top: int, left: int, size: tuple[int, int], *, grey: int) -> NDArray[np.float32]:
    """Return a cut-out of a given size that may reach beyond the canvas, where it is the backdrop's grey."""
    field = np.full((*size, 3), grey, np.float32)
    rows = clipped(top, top + size[0], frame.shape[0])
    columns = clipped(left, left + size[1], frame.shape[1])
    shown = lay_over(frame[rows, columns], grey)
    field[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = shown
    return field

"""Content box: small frames over white -> where the picture is, without margins and without a caption beside it.

Shapes: T frames, H height, W width, 3 = RGB over white, float32 0 to 255.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

FLAT = 28.0  # a row or column that varies less over its length and over time is margin
INK = 48.0  # a pixel that far from white counts fully as content
MIN_INK = 0.5  # below this part of it, noise
TAIL = 0.02  # of the content that may lie outside on each side, so that single pixels do not decide
ROOM = 1.06  # the box is this much larger than what the tails leave
MOVING = 60.0  # a pixel that varies so much over time moves
MIN_MOVING = 8  # pixels; with fewer the clip counts as still
LIVELY = 0.02  # a band of rows with less movement than this, beside the liveliest, stands still
HEAVY = 0.4  # in a still picture, a band of rows with less content than this, beside the fullest, is not the picture


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, with fractions."""

    top: float
    bottom: float
    left: float
    right: float


def cut_out(frames: Image, weights: NDArray[np.float32]) -> Box:
    """Return the box of the picture in frames (T, H, W, 3), each weighing `weights` (T,); paint white what is around.

    Margins of any one colour are taken off. Of what blank rows keep apart, only what moves stays (in a still picture:
    what is heavy), so that a caption in a strip of its own is left out.
    """
    low, high = frames.min(0), frames.max(0)
    top, bottom, left, right = _without_rims(low, _without_margins(low, high, (0, low.shape[0], 0, low.shape[1])))
    ink = ((255.0 - frames.min(-1)) / INK).clip(0, 1)
    ink[ink < MIN_INK] = 0
    mass = np.tensordot(weights, ink, 1)
    first, last = _picture_rows(low[top:bottom, left:right], high[top:bottom, left:right], mass[top:bottom, left:right])
    top, bottom, left, right = _without_margins(low, high, (top + first, top + last, left, right))
    frames[:, :top] = frames[:, bottom:] = 255
    frames[:, :, :left] = frames[:, :, right:] = 255
    inside = mass[top:bottom, left:right]
    y, height = _middle_and_half(inside.sum(1))
    x, width = _middle_and_half(inside.sum(0))
    return Box(top + y - height, top + y + height, left + x - width, left + x + width)


def _without_margins(low: Image, high: Image, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Shrink a box (top, bottom, left, right) while a side of it is one still colour; corners do not count."""
    top, bottom, left, right = box
    while True:
        before = top, bottom, left, right
        rows = np.flatnonzero(~_flat_rows(low[top:bottom, left:right], high[top:bottom, left:right]))
        if not len(rows):
            return before
        top, bottom = top + int(rows[0]), top + int(rows[-1]) + 1
        low_columns, high_columns = (each[top:bottom, left:right].swapaxes(0, 1) for each in (low, high))
        columns = np.flatnonzero(~_flat_rows(low_columns, high_columns))
        if not len(columns):
            return top, bottom, left, right
        left, right = left + int(columns[0]), left + int(columns[-1]) + 1
        if before == (top, bottom, left, right):
            return before


def _without_rims(low: Image, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Take one pixel more where a coloured margin was taken off: shrinking frames mixed it with the picture."""
    top, bottom, left, right = box
    outer = (low[0], low[-1], low[:, 0], low[:, -1])
    cut = [float(np.median(line, axis=0).min()) < 255 - INK / 2 for line in outer]
    height, width = low.shape[:2]
    return (
        top + (cut[0] and 0 < top < bottom - 2),
        bottom - (cut[1] and top + 2 < bottom < height),
        left + (cut[2] and 0 < left < right - 2),
        right - (cut[3] and left + 2 < right < width),
    )


def _flat_rows(low: Image, high: Image) -> NDArray[np.bool_]:
    """Tell which rows of (H, W, 3) vary little over width and time, the pixel at either end left out."""
    ends = slice(1, -1) if low.shape[1] > 4 else slice(None)
    return np.asarray((high[:, ends].max(1) - low[:, ends].min(1)).max(-1) < FLAT)


def _picture_rows(low: Image, high: Image, mass: Image) -> tuple[int, int]:
    """Return first and last + 1 of the rows that hold the picture, between rows of one colour."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], _flat_rows(low, high), [True]])))
    bands = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if len(bands) < 2:
        return 0, len(mass)
    moving = (high - low).max(-1) > MOVING
    is_animated = int(moving.sum()) > MIN_MOVING
    weighs = np.array([float((moving if is_animated else mass)[first:last].sum()) for first, last in bands])
    kept = np.flatnonzero(weighs >= (LIVELY if is_animated else HEAVY) * weighs.max())
    return bands[kept[0]][0], bands[kept[-1]][1]


def _middle_and_half(profile: NDArray[np.float32]) -> tuple[float, float]:
    """Return the middle and half the length of a profile without its tails, a little enlarged."""
    total = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    if total[-1] <= 0:
        return len(profile) / 2, max(len(profile) / 2, 0.5)
    start, end = np.interp([TAIL, 1 - TAIL], total / total[-1], np.arange(len(total)))
    return float(start + end) / 2, max(float(end - start) / 2 * ROOM, 0.5)

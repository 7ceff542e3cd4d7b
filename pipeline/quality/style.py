"""Style: one shown frame -> the kind of drawing it is, told from its size, its colours and its gradients alone.

    pixel   drawn pixel by pixel: at most 36 pixels a side before it was enlarged, or 64 with at most 24 colours
    photo   at least 96 colours, the six most frequent cover less than half, and half of all neighbours differ
    flat    the six most frequent colours cover at least 70 %
    shaded  the rest: gradients, airbrush, renderings

The first that holds counts. Measures have other ranges in each style, so that percentiles are to be taken within one.
What surrounds the drawing, hidden pixels and a colour that most of the border has, does not count, nor does what is
outside the middle 1024 x 1024 pixels. Colours are counted with 5 bits per channel, except in pixel art.
Limits: photographs in grey have few colours and come out as shaded; a smooth emoji of 64 pixels may pass for pixel art.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.media.canonical import packed
from pipeline.quality.shown import OPAQUE, middle

Style = Literal["pixel", "flat", "shaded", "photo"]

MAX_PIXEL_SIDE, MAX_FEW_COLOURS_SIDE, FEW_COLOURS = 36, 64, 24
MANY_COLOURS, PHOTO_COVER, PHOTO_EQUAL = 96, 0.5, 0.55
FLAT_COVER = 0.7
NUM_FREQUENT = 6
EQUAL = 2  # of 255: neighbours that differ by no more are equal


def drawing_style(shown: NDArray[np.uint8]) -> Style:
    """Tell the style of one shown frame (H, W, 4)."""
    scale = enlargement(shown)
    native = np.ascontiguousarray(middle(shown[::scale, ::scale]))
    is_drawn = _drawn(native)
    side = max(native.shape[:2])
    if side <= MAX_PIXEL_SIDE:
        return "pixel"
    if side <= MAX_FEW_COLOURS_SIDE and len(np.unique(packed(native)[is_drawn])) <= FEW_COLOURS:
        return "pixel"
    colours = _count_colours(native, is_drawn)
    if colours.num >= MANY_COLOURS and colours.cover < PHOTO_COVER and _equal_share(native, is_drawn) < PHOTO_EQUAL:
        return "photo"
    return "flat" if colours.cover >= FLAT_COVER else "shaded"


def enlargement(shown: NDArray[np.uint8]) -> int:
    """Return by which whole number a picture (H, W, 4) was enlarged without smoothing; 1 if it was not."""
    pixels = packed(shown)
    rows = np.flatnonzero((pixels[1:] != pixels[:-1]).any(axis=1)) + 1
    columns = np.flatnonzero((pixels[:, 1:] != pixels[:, :-1]).any(axis=0)) + 1
    if not len(rows) and not len(columns):
        return 1  # one plain colour tells nothing
    return int(np.gcd.reduce(np.concatenate([rows, columns, pixels.shape])))


@dataclass(frozen=True, slots=True)
class _Colours:
    """How many there are, and the share of the drawing that the six most frequent cover."""

    num: int
    cover: float


def _count_colours(native: NDArray[np.uint8], is_drawn: NDArray[np.bool_]) -> _Colours:
    red, green, blue = (native[..., channel][is_drawn].astype(np.int32) >> 3 for channel in range(3))
    if not len(red):
        return _Colours(0, 1.0)
    counts = np.bincount(red << 10 | green << 5 | blue)
    frequent = np.sort(counts[counts > 0])[::-1]
    return _Colours(len(frequent), float(frequent[:NUM_FREQUENT].sum() / frequent.sum()))


def _drawn(native: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels are visible and not of a colour that most of the border has: (H, W)."""
    pixels = packed(native)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colours, counts = np.unique(border, return_counts=True)
    is_drawn = pixels >= OPAQUE
    if 2 * counts.max() > len(border):
        is_drawn &= pixels != colours[counts.argmax()]
    return is_drawn


def _equal_share(native: NDArray[np.uint8], is_drawn: NDArray[np.bool_]) -> float:
    """Return the share of drawn neighbours, to the right and below, that are equal."""
    num_pairs = num_equal = 0
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        pairs = is_drawn[one] & is_drawn[other]
        left, right = native[one][pairs][:, :3].astype(np.int16), native[other][pairs][:, :3]
        num_equal += int(np.count_nonzero(np.abs(left - right).max(axis=1, initial=0) <= EQUAL))
        num_pairs += len(left)
    return num_equal / max(num_pairs, 1)

"""Letters: cut-outs around one text -> which colours the letters have, and which pixels show them.

Shapes: S sampled frames, h, w of the cut-outs, K slices along the line; 4 = RGBA premultiplied, uint8.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

SAME_COLOUR = 40  # grey levels in the channel that differs most
MAX_COLOURS = 10
ASSIGNED = 0.96  # share of the line's pixels after which no further colour is looked for
COMMON = 0.04  # share of a slice by which a letter's colour is commoner inside the line than around it
EVERYWHERE = 0.6  # share of the slices in which it is: letters fill a line from end to end, a figure does not
STEADY = 0.6  # share of the frames in which a pixel must have a letter's colour
INK_SHARE = (0.1, 0.9)  # of the line: fewer or more pixels than that are not letters


@dataclass(frozen=True, slots=True)
class Line:
    """Where a text lies in its cut-outs (h, w): its polygon, the band around it, the slice of each pixel (0 to K-1)."""

    inside: Mask
    around: Mask
    slices: NDArray[np.int64]
    num_slices: int


def find_letters(pixels: NDArray[np.uint8], usable: Mask, line: Line) -> Mask | None:
    """Return the pixels (h, w) of letters and outlines in the cut-outs (S, h, w, 4), None if no colour tells them.

    A letter's colour is commoner inside the line than right around it, nearly everywhere along the line, over all
    frames: that tells it from the ground, which is commoner around, and from a figure, which is somewhere only.
    usable: pixels (S, h, w) on the canvas that no other text covers.
    """
    votes = np.zeros(pixels.shape[:3], bool)
    for members in _colours(pixels, usable & line.inside):
        if _is_of_letters(members, usable, line):
            votes |= members
    shown = np.maximum(usable.sum(0), 1)
    ink = (votes & usable).sum(0) >= STEADY * shown
    share = ink[line.inside].mean()
    return ink if INK_SHARE[0] <= share <= INK_SHARE[1] else None


def _colours(pixels: NDArray[np.uint8], inside: Mask) -> Iterator[Mask]:
    """Yield, for the commonest colours of the line one after the other, the pixels (S, h, w) that are nearest to it."""
    left = inside.copy()
    unclaimed = np.ones(inside.shape, bool)
    for _ in range(MAX_COLOURS):
        if left.sum() <= (1 - ASSIGNED) * inside.sum():
            return
        centre = _commonest(pixels[left])
        members = unclaimed & (np.abs(pixels.astype(np.int16) - centre).max(-1) <= SAME_COLOUR)
        yield members
        unclaimed &= ~members
        left &= ~members


def _commonest(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the mean of the fullest cell of a coarse colour cube; pixels are (N, 4)."""
    cells = (pixels >> 4).astype(np.uint32) @ np.array([1, 16, 256, 4096], np.uint32)
    values, counts = np.unique(cells, return_counts=True)
    fullest = values[int(counts.argmax())]
    return np.asarray(np.rint(pixels[cells == fullest].mean(0)), np.int16)


def _is_of_letters(members: Mask, usable: Mask, line: Line) -> bool:
    within = _shares(members, usable & line.inside, line)
    beside = _shares(members, usable & line.around, line)
    surplus = (within - beside)[np.isfinite(within) & np.isfinite(beside)]
    if not surplus.size:
        return False
    return bool(np.median(surplus) >= COMMON and (surplus > COMMON / 2).mean() >= EVERYWHERE)


def _shares(members: Mask, where: Mask, line: Line) -> NDArray[np.float64]:
    """Return the members' share of some pixels (S, h, w) for each slice (K), NaN where a slice has none."""
    slices = np.broadcast_to(line.slices, where.shape)
    total = np.bincount(slices[where], minlength=line.num_slices).astype(np.float64)
    of_them = np.bincount(slices[where & members], minlength=line.num_slices)
    return np.where(total > 0, of_them / np.maximum(total, 1), np.nan)

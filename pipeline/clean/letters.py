"""Letters: cut-outs around one text -> which colours the letters have, and which pixels show them.

Shapes: S sampled frames, h, w of the cut-outs, K slices along the line; 4 = RGBA premultiplied, uint8.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

SAME_COLOUR = 40  # grey levels in the channel that differs most
MAX_COLOURS = 10
ASSIGNED = 0.96  # share of the line's pixels after which no further colour is looked for
COMMON = 0.04  # share of a slice by which a letter's colour is commoner inside the line than around it
EVERYWHERE = 0.75  # share of the slices in which it is: letters fill a line from end to end, a figure does not
FILLING = 0.08  # share of the line that a colour enclosed by outlines must have
STEADY = 0.6  # share of the frames in which a pixel must have a letter's colour
INK_SHARE = (0.1, 0.9)  # of the line: fewer or more pixels than that are not letters


@dataclass(frozen=True, slots=True)
class Line:
    """Where a text lies in its cut-outs (h, w): its polygon, the band around, each pixel's slice from 0 to K-1."""

    inside: Mask
    around: Mask
    slices: NDArray[np.int64]
    num_slices: int


def find_letters(pixels: NDArray[np.uint8], usable: Mask, line: Line) -> Mask | None:
    """Return the pixels (h, w) of letters and outlines in the cut-outs (S, h, w, 4), None if no colour tells them.

    A letter's colour is commoner inside the line than right around it, nearly everywhere along the line, over all
    frames: that tells it from the ground, which is commoner around, and from a figure, which is somewhere only.
    To those pixels come the colours that they enclose.
    usable: pixels (S, h, w) on the canvas that no other text covers.
    """
    seen = np.maximum(usable.sum(0), 1)
    rejected: list[Mask] = []
    votes = np.zeros(usable.shape, bool)
    for members in _colours(pixels, usable & line.inside):
        if _is_of_letters(members, usable, line):
            votes |= members
        else:
            rejected.append(_steady(members & usable, seen))
    ink = _steady(votes & usable, seen)
    if not ink.any():
        return None
    ink |= _fillings(ink, rejected, line)
    share = ink[line.inside].mean()
    return ink if INK_SHARE[0] <= share <= INK_SHARE[1] else None


def _steady(members: Mask, seen: NDArray[np.int64]) -> Mask:
    """Return the pixels (h, w) that belong to the members (S, h, w) in most of the frames that show them."""
    return np.asarray(members.sum(0) >= STEADY * seen, np.bool_)


def _fillings(ink: Mask, colours: Sequence[Mask], line: Line) -> Mask:
    """Return the pixels (h, w) of colours that the ink encloses all along the line: what outlines hold."""
    barred = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    _, labels = cv2.connectedComponents(np.pad(~barred, 1, constant_values=True).astype(np.uint8), connectivity=4)
    enclosed = (labels != labels[0, 0])[1:-1, 1:-1] & ~ink
    fillings = np.zeros_like(ink)
    for members in colours:
        shares = _shares((members & enclosed)[None], line.inside[None], line)
        shares = shares[np.isfinite(shares)]
        if np.median(shares) >= FILLING and (shares > COMMON / 2).mean() >= EVERYWHERE:
            fillings |= members & enclosed
    return fillings


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

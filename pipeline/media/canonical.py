"""Canonical frames: RGB zeroed where alpha is 0, equal neighbours merged into one with a run length."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOWEST_VISIBLE = np.uint32(1 << 24)  # as little-endian uint32, a pixel below this has alpha 0


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct frames, each uint8 (H, W, 4), and how many stored frames each stands for."""

    frames: list[NDArray[np.uint8]]
    run_lengths: list[int]


def packed(frame: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """View an RGBA frame (H, W, 4) as one little-endian uint32 per pixel (H, W)."""
    return np.ascontiguousarray(frame).view("<u4")[..., 0]


def zero_hidden_colour(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame with 0 in all channels where alpha is 0."""
    pixels = packed(frame)
    visible = pixels >= LOWEST_VISIBLE
    if visible.all():
        return frame
    return (pixels * visible).view(np.uint8).reshape(frame.shape)


def merge_equal_neighbours(frames: Iterable[NDArray[np.uint8]]) -> Distinct:
    """Merge runs of equal canonical frames; at least one frame is expected."""
    distinct: list[NDArray[np.uint8]] = []
    run_lengths: list[int] = []
    for frame in frames:
        if distinct and np.array_equal(packed(distinct[-1]), packed(frame)):
            run_lengths[-1] += 1
        else:
            distinct.append(frame)
            run_lengths.append(1)
    return Distinct(distinct, run_lengths)

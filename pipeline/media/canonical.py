"""Canonical frames: RGB zeroed where alpha is 0, equal neighbours merged into one with a run length."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

LOWEST_VISIBLE = np.uint32(1 << 24)  # as little-endian uint32, a pixel below this has alpha 0


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


def merge_equal_neighbours(
    frames: Iterable[NDArray[np.uint8]], *, max_frames: int
) -> tuple[NDArray[np.uint8], list[int]]:
    """Merge runs of equal canonical frames (H, W, 4) into (D, H, W, 4) and D run lengths.

    At least one frame is expected and at most `max_frames`. They are written into one array, so that a clip is
    never held twice; the part of it that equal frames leave over costs no memory.
    """
    distinct = np.empty((0, 0, 0, 4), np.uint8)
    run_lengths: list[int] = []
    for frame in frames:
        count = len(run_lengths)
        if count == 0:
            distinct = np.empty((max_frames, *frame.shape), np.uint8)
        elif np.array_equal(packed(distinct[count - 1]), packed(frame)):
            run_lengths[-1] += 1
            continue
        distinct[count] = frame
        run_lengths.append(1)
    return distinct[: len(run_lengths)], run_lengths

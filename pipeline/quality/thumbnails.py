"""Thumbnails: shown frames -> a grid of mean colours for each, on which frames are compared.

Shapes: D distinct frames, H height, W width of the canvas, h and w of the grid, 4 as in `shown`.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import xxhash
from numpy.typing import NDArray

GRID = 32  # cells along each side at most
PAIRS_AT_ONCE = 256

Grids = NDArray[np.uint8]
Numbers = Sequence[int] | NDArray[np.int64]  # of frames


def thumbnail(shown: NDArray[np.uint8]) -> Grids:
    """Average a shown frame (H, W, 4) over cells: (h, w, 4), where h and w are 32 or the canvas if that is smaller."""
    height, width = shown.shape[:2]
    size = min(width, GRID), min(height, GRID)
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)


def first_equal(frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for each of D frames the number of the first frame that equals it in every pixel."""
    seen: dict[int, int] = {}
    digests = [xxhash.xxh3_64_intdigest(np.ascontiguousarray(frame).data) for frame in frames]
    return np.array([seen.setdefault(digest, number) for number, digest in enumerate(digests)], np.int64)


def changes(grids: Grids, left: Numbers, right: Numbers) -> NDArray[np.float64]:
    """Return the mean absolute difference of each pair of thumbnails (D, h, w, 4), 0 to 1 over all four channels."""
    means = [each.mean(axis=1) for each in _differences(grids, left, right)]
    return np.concatenate([np.empty(0), *means]) / 255


def largest_changes(grids: Grids, left: Numbers, right: Numbers) -> NDArray[np.uint8]:
    """Return for each pair the largest difference of a channel of a cell, 0 to 255."""
    largest = [each.max(axis=1) for each in _differences(grids, left, right)]
    return np.concatenate([np.empty(0, np.uint8), *largest])


def _differences(grids: Grids, left: Numbers, right: Numbers) -> Iterator[NDArray[np.uint8]]:
    for first in range(0, len(left), PAIRS_AT_ONCE):
        some = slice(first, first + PAIRS_AT_ONCE)
        difference = np.asarray(cv2.absdiff(grids[left[some]], grids[right[some]]), np.uint8)
        yield difference.reshape(len(left[some]), -1)


def neighbour_changes(grids: Grids) -> NDArray[np.float64]:
    """Return the change from each frame to the next, D - 1 of them."""
    numbers = np.arange(len(grids))
    return changes(grids, numbers[:-1], numbers[1:])

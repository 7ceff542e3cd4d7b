"""Joined lines: an image and a mask -> the mask filled along lines that join like colours on both sides of it.

Shapes: H height, W width, C channels, N masked pixels; uint8.
"""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

DIRECTIONS = (
    *((0, 1), (1, 0), (1, 1), (1, -1)),
    *((1, 2), (1, -2), (2, 1), (2, -1)),
    *((1, 3), (1, -3), (3, 1), (3, -1)),
    *((2, 3), (2, -3), (3, 2), (3, -2)),
)
"""Steps of rows and columns, in sixteen directions over half a turn."""

ALIKE = 6.0  # grey levels: how much alike two ends of a line must be to belong together
LEAST_WEIGHT = 1e-12


def join_lines(image: Image, mask: Mask) -> tuple[Image, Mask]:
    """Fill each masked pixel (H, W) of an image (H, W, C) from the lines through it that join two known pixels.

    Along a line the colour goes evenly from end to end. A line weighs more the shorter it is and the more alike its
    ends are: so an outline is carried on along itself and not blurred into what lies beside it. Returns the image
    and which pixels were filled; a pixel that no such line crosses stays as it was.
    """
    masked = np.flatnonzero(mask)
    known = image.reshape(-1, image.shape[2])
    total = np.zeros((len(masked), image.shape[2]))
    weights = np.zeros(len(masked))
    for rows, columns in DIRECTIONS:
        ahead, steps_ahead = _first_known(mask, masked, rows, columns)
        behind, steps_behind = _first_known(mask, masked, -rows, -columns)
        is_joined = (steps_ahead > 0) & (steps_behind > 0)
        steps = np.where(is_joined, steps_ahead + steps_behind, 1)
        share = (np.where(is_joined, steps_ahead, 0) / steps)[:, None]
        first, second = known[ahead].astype(np.float64), known[behind].astype(np.float64)
        unlike = np.abs(first - second).max(1)
        length = steps * np.hypot(rows, columns)
        weight = np.where(is_joined, np.exp(-unlike / ALIKE) / length**2, 0.0)
        total += weight[:, None] * (first * (1 - share) + second * share)
        weights += weight
    is_enough = weights > LEAST_WEIGHT
    filled, is_filled = known.copy(), np.zeros(mask.size, bool)
    filled[masked[is_enough]] = np.rint(total[is_enough] / weights[is_enough, None]).astype(np.uint8)
    is_filled[masked[is_enough]] = True
    return filled.reshape(image.shape), is_filled.reshape(mask.shape)


def _first_known(
    mask: Mask, masked: NDArray[np.intp], rows: int, columns: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Go from each of N masked pixels in one direction; return the first known pixel and the steps to it.

    Pixels are flat indexes; 0 steps where the edge of the image comes first. Each round doubles the way gone.
    """
    height, width = mask.shape
    y, x = np.divmod(masked, width)
    is_inside = (y + rows >= 0) & (y + rows < height) & (x + columns >= 0) & (x + columns < width)
    beyond = mask.size
    goal = np.arange(mask.size + 1)
    goal[masked] = np.where(is_inside, masked + rows * width + columns, beyond)
    for _ in range(max(height, width).bit_length()):
        farther = goal[goal[masked]]
        if np.array_equal(farther, goal[masked]):
            break
        goal[masked] = farther
    found = goal[masked]
    is_found = found < beyond
    found = np.where(is_found, found, masked)
    away = (found // width - y) // rows if rows else (found % width - x) // columns
    return found, np.where(is_found, away, 0)

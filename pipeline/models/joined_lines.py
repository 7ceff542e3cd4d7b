"""Joined lines: an image and a mask -> the mask filled along lines that join like colours on both sides of it.

Shapes: H height, W width, C channels, N masked pixels; uint8.
"""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

NUM_DIRECTIONS = 16
ALIKE = 6.0  # grey levels: how much alike two ends of a line must be to belong together
LEAST_WEIGHT = 1e-12


def join_lines(image: Image, mask: Mask, *, reach: int) -> tuple[Image, Mask]:
    """Fill each masked pixel (H, W) of an image (H, W, C) from the lines through it that join two known pixels; return also which were filled.

    Along a line the colour goes evenly from end to end. A line weighs more the shorter it is and the more alike its
    ends are: so an outline is carried on along itself and not blurred into what lies beside it.
    """
    rows, columns = np.nonzero(mask)
    total = np.zeros((len(rows), image.shape[2]))
    weights = np.zeros(len(rows))
    for angle in np.arange(NUM_DIRECTIONS) * np.pi / NUM_DIRECTIONS:
        step = np.array([np.sin(angle), np.cos(angle)])
        ahead, ahead_far = _first_known(image, mask, rows, columns, step, reach)
        behind, behind_far = _first_known(image, mask, rows, columns, -step, reach)
        length = ahead_far + behind_far
        is_joined = np.isfinite(length)
        length = np.where(is_joined, length, 1.0)
        share = np.where(is_joined, ahead_far, 0.0)[:, None] / length[:, None]
        unlike = np.abs(ahead - behind).max(1)
        weight = np.where(is_joined, np.exp(-unlike / ALIKE) / length**2, 0.0)
        total += weight[:, None] * (ahead * (1 - share) + behind * share)
        weights += weight
    is_enough = weights > LEAST_WEIGHT
    filled, is_filled = image.copy(), np.zeros_like(mask)
    colours = np.rint(total[is_enough] / weights[is_enough, None]).astype(np.uint8)
    filled[rows[is_enough], columns[is_enough]] = colours
    is_filled[rows[is_enough], columns[is_enough]] = True
    return filled, is_filled


def _first_known(
    image: Image,
    mask: Mask,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    step: NDArray[np.float64],
    reach: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Walk from each of N pixels; return the first known colours (N, C) and their distances, infinite if none."""
    colours = np.zeros((len(rows), image.shape[2]))
    distances = np.full(len(rows), np.inf)
    going = np.arange(len(rows))
    for far in range(1, reach + 1):
        y = rows[going] + round(far * step[0])
        x = columns[going] + round(far * step[1])
        is_inside = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
        going, y, x = going[is_inside], y[is_inside], x[is_inside]
        is_known = ~mask[y, x]
        arrived = going[is_known]
        colours[arrived] = image[y[is_known], x[is_known]]
        distances[arrived] = far
        going = going[~is_known]
        if not len(going):
            break
    return colours, distances

"""Distance: pairs of signatures -> how differently the two clips look, whichever way round.

Errors of cells are added as fourth powers: two different drawings differ much in a few cells (another mouth, a hat),
two versions of one drawing a little in all of them.

Shapes: P pairs, G = 8 cells a side.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.signature import CELLS, COARSE, Signatures, unpack

CHANGE_WEIGHT = 0.5 / 16  # of the spread beside the mean; it is stored doubled, and 2 ** 4 = 16
MAX_ASPECT_STEPS = 6  # a quarter of a doubling of width over height
CAPTION_ROWS = 2  # rows of cells that a caption over the picture may spoil, all at the top or all at the bottom
CAPTION_COST = 1.5  # what is left then has to be so much more alike
FAR = np.float32(np.inf)


def distances(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the distance of each pair, (P,): signatures are (P, NUM_BYTES). In units of luminance, 0 to 255."""
    one, other = unpack(ones), unpack(others)
    errors = np.minimum(_errors(one, other, is_mirrored=False), _errors(one, other, is_mirrored=True))
    aspects = np.abs(one.aspect.astype(np.int16) - other.aspect)
    return np.asarray(np.where(aspects > MAX_ASPECT_STEPS, FAR, errors), np.float32)


def _errors(one: Signatures, other: Signatures, *, is_mirrored: bool) -> NDArray[np.float32]:
    across = slice(None, None, -1 if is_mirrored else 1)
    rows = _fourth_power(one.light, other.light[..., across]).mean(2)  # (P, G)
    rows += np.float32(CHANGE_WEIGHT) * _fourth_power(one.change, other.change[..., across]).mean(2)
    colour = _fourth_power(one.colour, other.colour[..., across]).sum(1).mean(2)  # (P, K)
    rows += colour.repeat(CELLS // COARSE, axis=1)
    whole = np.sqrt(np.sqrt(rows.mean(1)))
    kept = np.minimum(rows[:, CAPTION_ROWS:].mean(1), rows[:, :-CAPTION_ROWS].mean(1))
    return np.asarray(np.minimum(whole, np.float32(CAPTION_COST) * np.sqrt(np.sqrt(kept))), np.float32)


def _fourth_power(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    error = one.astype(np.float32) - other
    error *= error
    error *= error
    return error

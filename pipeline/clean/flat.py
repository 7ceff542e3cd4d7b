"""Flat: a region whose surroundings are one colour, or nothing at all -> that colour, or nothing.

Shapes: H height, W width; h, w of a region's window; 4 = RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.difference import difference
from pipeline.clean.regions import Region

FLAT_SHARE = 0.98  # of the ring must be of the one colour


def fill_flat(region: Region, target: NDArray[np.uint8], *, tolerance: float) -> bool:
    """Fill the region of `target` (H, W, 4) if its ring is of one colour and alpha; tell whether it was.

    The colour is the commonest of the ring, so a ring of exactly one colour is continued exactly.
    """
    if not region.ring.any():
        return False
    window = (region.rows, region.columns)
    ring = target[window][region.ring]  # N, 4
    colours, counts = np.unique(ring, axis=0, return_counts=True)
    commonest = colours[int(counts.argmax())]
    is_same = difference(ring, commonest) <= tolerance if commonest[3] else ring[:, 3] == 0
    if is_same.mean() < FLAT_SHARE:
        return False
    target[window][region.pixels] = commonest
    return True

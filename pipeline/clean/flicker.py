"""Flicker: cleaned frames -> how much more the invented pixels change over time than their surroundings do.

Shapes: D distinct frames, H height, W width; 4 = RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.difference import difference
from pipeline.clean.dilate import dilate

RING = 4  # pixels around the masks that show how much the picture itself moves


def measure_flicker(frames: NDArray[np.uint8], masks: NDArray[np.bool_], invented: NDArray[np.bool_]) -> float:
    """Return the excess in grey levels per frame change, 0 if the inside is as calm as the outside.

    Compared are neighbouring frames, where either was invented; what was recovered is real and moves as it likes.
    """
    inside, outside = 0.0, 0.0
    for earlier, later in zip(range(len(frames) - 1), range(1, len(frames)), strict=True):
        touched = invented[earlier] | invented[later]
        ring = dilate(touched, RING) & ~masks[earlier] & ~masks[later]
        if not touched.any() or not ring.any():
            continue
        change = difference(frames[earlier], frames[later])
        weight = float(touched.sum())
        inside += weight * float(change[touched].mean())
        outside += weight * float(change[ring].mean())
    num = float(sum((invented[i] | invented[i + 1]).sum() for i in range(len(frames) - 1)))
    return max(0.0, inside - outside) / num if num else 0.0

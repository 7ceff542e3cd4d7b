"""Flicker: cleaned frames -> how much more the invented pixels change over time than their surroundings do.

Shapes: D distinct frames, H height, W width; 4 = RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.difference import difference
from pipeline.clean.dilate import dilate

RING = 4  # pixels around the masks that show how much the picture itself moves


def measure_flicker(frames: NDArray[np.uint8], masks: NDArray[np.bool_], invented: NDArray[np.bool_]) -> float:
    """Return the excess in grey levels per masked pixel and change of frame, 0 if the inside is as calm as outside.

    Only pixels that were invented on either of two neighbouring frames count: what was recovered is real and moves
    as it likes.
    """
    excess, num_masked = 0.0, 0
    for earlier, later in zip(range(len(frames) - 1), range(1, len(frames)), strict=True):
        is_masked = masks[earlier] | masks[later]
        is_made_up = invented[earlier] | invented[later]
        num_masked += int(is_masked.sum())
        ring = dilate(is_made_up, RING) & ~is_masked
        if not is_made_up.any() or not ring.any():
            continue
        change = difference(frames[earlier], frames[later])
        excess += float(is_made_up.sum()) * (float(change[is_made_up].mean()) - float(change[ring].mean()))
    return max(0.0, excess) / max(1, num_masked)

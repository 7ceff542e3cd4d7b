"""Motion: the frames of a clip -> the part of the canvas that ever changes.

How much changes from frame to frame is the probe's `motion_score`; this is where.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

VISIBLE_CHANGE = 16  # of 255 in some channel; less is what dithering and lossy encoders make of a standing picture


class MovingArea:
    """Adds up where something changes, frame by frame. Memory: two frames."""

    def __init__(self) -> None:
        self._lowest: NDArray[np.uint8] | None = None
        self._highest: NDArray[np.uint8] | None = None

    def look_at(self, shown: NDArray[np.uint8]) -> None:
        """Take in one more shown frame (H, W, 4)."""
        if self._lowest is None or self._highest is None:
            self._lowest, self._highest = shown.copy(), shown.copy()
            return
        cv2.min(self._lowest, shown, dst=self._lowest)
        cv2.max(self._highest, shown, dst=self._highest)

    @property
    def fraction(self) -> float:
        """Pixels of which some channel, alpha too, goes through more than 16 of 255, as a fraction of the canvas."""
        if self._lowest is None or self._highest is None:
            return 0.0
        moves = ((self._highest - self._lowest) > VISIBLE_CHANGE).any(axis=-1)
        return float(np.count_nonzero(moves)) / moves.size

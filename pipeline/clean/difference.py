"""Difference: two pictures -> how far apart each pixel is."""

import numpy as np
from numpy.typing import NDArray


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the largest difference over the channels of two straight-alpha pictures (..., 4), in grey levels."""
    return np.asarray((np.maximum(one, other) - np.minimum(one, other)).max(-1), np.uint8)

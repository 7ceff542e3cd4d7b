"""Premultiply: straight RGBA -> colours weighed by their alpha, which can be compared and averaged.

Shapes: H height, W width; 4 = RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

VISIBLE = 255


def premultiply(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels (..., 4) with colour times alpha."""
    alpha = pixels[..., 3:]
    if alpha.min(initial=VISIBLE) == VISIBLE:
        return pixels
    colour = (pixels[..., :3].astype(np.uint16) * alpha + 127) // 255
    return np.concatenate([colour.astype(np.uint8), alpha], axis=-1)

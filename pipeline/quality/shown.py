"""Shown: a canonical frame -> the picture that a viewer sees on a white page.

Shapes: H height, W width; 4 = red, green, blue over white, and alpha.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.media.canonical import packed

OPAQUE = np.uint32(0xFF000000)  # as little-endian uint32, a pixel from here on has alpha 255
WHITE_HIDDEN = np.uint32(0x00FFFFFF)
MIDDLE_SIDE = 1024  # pixels
ROWS_AT_ONCE = 256


def over_white(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a canonical frame (H, W, 4) over white; the alpha channel stays, so that white is told from nothing."""
    pixels = packed(frame)
    is_opaque = pixels >= OPAQUE
    num_opaque = np.count_nonzero(is_opaque)
    if num_opaque == pixels.size:
        return frame
    if np.count_nonzero(pixels) > num_opaque:  # hidden pixels of a canonical frame are 0
        return _blended(frame)
    return np.where(is_opaque, pixels, WHITE_HIDDEN).view(np.uint8).reshape(frame.shape)


def middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of a picture (H, W, 4), at most 1024 pixels a side: enough to judge how it is drawn."""
    top, left = (max(0, side - MIDDLE_SIDE) // 2 for side in picture.shape[:2])
    return picture[top : top + MIDDLE_SIDE, left : left + MIDDLE_SIDE]


def _blended(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shown = frame.copy()
    for top in range(0, len(frame), ROWS_AT_ONCE):
        rows = frame[top : top + ROWS_AT_ONCE]
        alpha = rows[..., 3:].astype(np.uint16)
        shown[top : top + ROWS_AT_ONCE, :, :3] = (rows[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return shown

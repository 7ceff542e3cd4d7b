"""Dilate: a mask -> the mask made wider."""

import cv2
import numpy as np
from numpy.typing import NDArray


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Return a mask (H, W) widened by so many pixels, round."""
    if radius <= 0:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc), np.bool_)

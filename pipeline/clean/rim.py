"""Rim: letters already found -> the outline and soft edge right around them.

Shapes: S sampled frames, h, w of the cut-outs; 4 = RGBA premultiplied, uint8.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.dilate import dilate
from pipeline.models.joined_lines import join_lines

Mask = NDArray[np.bool_]

SEEN = 0.5  # share of the frames in which a rim differs from the ground
DIFFERENT = 20  # grey levels in the channel that differs most


def find_rim(pixels: NDArray[np.uint8], usable: Mask, ink: Mask, *, width: int) -> Mask:
    """Return the pixels (h, w) at most `width` from the ink that are not as the ground beyond goes on (S, h, w, 4).

    What looks like the ground needs no mask, whether it is an outline of the same colour or no outline at all.
    """
    wide = dilate(ink, width)
    differing = np.zeros(ink.shape, np.int32)
    for picture, known in zip(pixels, usable, strict=True):
        ground, is_guessed = join_lines(picture, wide | ~known)
        change = np.abs(picture.astype(np.int16) - ground).max(2)
        differing += (change > DIFFERENT) & is_guessed & known
    return np.asarray(wide & ~ink & (differing >= SEEN * np.maximum(usable.sum(0), 1)), np.bool_)

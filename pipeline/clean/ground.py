"""Ground: cut-outs around one text -> what differs from the picture guessed to lie behind it.

The second way to find ink, for letters whose colours change or also make up the picture around them.
Shapes: S sampled frames, h, w of the cut-outs; 4 = RGBA premultiplied, uint8.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

SEEN = 0.5  # share of the frames in which ink differs from the ground
NOISE_FACTOR = 2.5  # times the roughness of the band around: what else differs from the ground
FAINT = (6.0, 24.0)  # grey levels: bounds of the lower threshold
STRONG = 24.0  # grey levels above the lower threshold
TELEA_RADIUS = 3.0  # pixels
MIN_BAND_SHARE = 0.05  # of the text's own pixels: with less around, everything counts as ink


def differs_from_ground(pixels: NDArray[np.uint8], usable: Mask, *, near: Mask, around: Mask) -> Mask:
    """Return the pixels (h, w) that differ from the ground in the cut-outs (S, h, w, 4).

    The ground is the band `around` (h, w) continued through `near` (h, w). Faint differences count where they
    touch strong ones.
    """
    faint = np.zeros(near.shape, np.int32)
    strong = np.zeros(near.shape, np.int32)
    for picture, known in zip(pixels, usable & around, strict=True):
        if known.sum() < MIN_BAND_SHARE * near.sum():
            faint += near
            strong += near
            continue
        distance = np.abs(picture.astype(np.int16) - _continued(picture, ~known)).max(2)
        roughness = np.abs(picture.astype(np.int16) - cv2.medianBlur(picture, 5)).max(2)
        low = float(np.clip(NOISE_FACTOR * np.percentile(roughness[known], 80), *FAINT))
        faint += near & (distance > low)
        strong += near & (distance > low + STRONG)
    enough = SEEN * np.maximum(usable.sum(0), 1)
    _, labels = cv2.connectedComponents((faint >= enough).astype(np.uint8), connectivity=8)
    touched = np.unique(labels[(strong >= enough) & (labels > 0)])
    return np.asarray(np.isin(labels, touched[touched > 0]), np.bool_)


def _continued(picture: NDArray[np.uint8], unknown: Mask) -> NDArray[np.int16]:
    """Return the picture (h, w, 4) as if the unknown pixels continued the known ones."""
    holes = unknown.astype(np.uint8)
    colour = cv2.inpaint(np.ascontiguousarray(picture[..., :3]), holes, TELEA_RADIUS, cv2.INPAINT_TELEA)
    alpha = np.ascontiguousarray(picture[..., 3])
    if np.ptp(alpha[~unknown]) == 0:
        alpha = np.full_like(alpha, alpha[~unknown][0])
    else:
        alpha = cv2.inpaint(alpha, holes, TELEA_RADIUS, cv2.INPAINT_TELEA)
    return np.concatenate([colour, alpha[..., None]], axis=2).astype(np.int16)

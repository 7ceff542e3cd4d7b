"""Plates: frames -> copies of at most 64 pixels a side, to measure on at a bounded price per frame.

Shapes: H W the frame, h w the plate (64 or less), D distinct frames; 4 = straight RGBA, uint8, colour 0
where alpha is 0.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 64
MAX_AVERAGED_SIDE = 8 * MAX_SIDE  # larger frames are thinned out first: whole rows and columns are skipped
OPAQUE = 128  # alpha from which a pixel counts as seen


def shrink_frame(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame (H, W, 4) averaged to (h, w, 4), colours weighted by alpha; small ones as they are."""
    thinned = thin_out(frame, MAX_AVERAGED_SIDE)
    height, width = thinned.shape[:2]
    scale = MAX_SIDE / max(height, width)
    if scale >= 1:
        return thinned
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    alpha = thinned[..., 3]
    if ((alpha == 0) | (alpha == 255)).all():  # colour is 0 where alpha is: already weighted
        return _divide_by_alpha(cv2.resize(thinned, size, interpolation=cv2.INTER_AREA))
    weighted = thinned.copy()
    weighted[..., :3] = (thinned[..., :3].astype(np.uint16) * alpha[..., None] + 127) // 255
    return _divide_by_alpha(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA))


def thin_out(frame: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Return every n-th row and column (H, W, 4), n odd, so that no side is longer than `max_side` pixels.

    An odd step does not fall into line with the even grids on which pixel art is enlarged.
    """
    whole_steps = [-(-side // max_side) for side in frame.shape[:2]]
    rows, columns = (step if step % 2 else step + 1 for step in whole_steps)
    return frame[::rows, ::columns]


def shrink_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return all frames (D, H, W, 4) as plates (D, h, w, 4)."""
    return np.stack([shrink_frame(frame) for frame in frames])


def is_opaque(plates: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where plates (..., 4) show something (...)."""
    return plates[..., 3] >= OPAQUE


def _divide_by_alpha(weighted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if (weighted[..., 3] == 255).all():
        return weighted
    alpha = np.maximum(weighted[..., 3:], 1).astype(np.uint16)
    color = np.minimum(weighted[..., :3].astype(np.uint16) * 255 // alpha, 255)
    color[weighted[..., 3] == 0] = 0
    return np.concatenate([color.astype(np.uint8), weighted[..., 3:]], axis=2)

"""Backdrop: straight RGBA -> RGB over the grey on which the picture's outline, hence its text, is best seen.

Shapes: D distinct frames, H height, W width; 3 = RGB, 4 = straight RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

GREYS = (255, 128, 0)  # in order of preference
LUMA = np.array([0.299, 0.587, 0.114])
OPAQUE = 128
MAX_FRAMES_LOOKED_AT = 8
DARKEST_SHARE = 5.0  # percent: the part of the outline that may vanish


def choose_backdrop(frames: NDArray[np.uint8]) -> int:
    """Return the grey level that stands out most from the visible pixels beside transparent ones.

    White letters on nothing need a dark backdrop, black ones a light one, both together a grey one; so the grey
    is taken whose nearest outline pixels are still farthest in luminance. White if nothing is transparent.
    """
    step = max(1, len(frames) // MAX_FRAMES_LOOKED_AT)
    outline = np.concatenate([_outline_luma(frame) for frame in frames[::step]])
    if not len(outline):
        return GREYS[0]
    contrast = [float(np.percentile(np.abs(outline - grey), DARKEST_SHARE)) for grey in GREYS]
    return GREYS[int(np.argmax(contrast))]


def lay_over(frame: NDArray[np.uint8], grey: int) -> NDArray[np.uint8]:
    """Return the frame (H, W, 4) over a grey level as RGB (H, W, 3)."""
    alpha = frame[..., 3:]
    if alpha.min(initial=255) == 255:
        return np.ascontiguousarray(frame[..., :3])
    weight = alpha.astype(np.uint16)
    return ((frame[..., :3] * weight + grey * (255 - weight) + 127) // 255).astype(np.uint8)


def _outline_luma(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    visible = frame[..., 3] >= OPAQUE
    hidden = np.pad(~visible, 1, constant_values=False)
    beside = hidden[:-2, 1:-1] | hidden[2:, 1:-1] | hidden[1:-1, :-2] | hidden[1:-1, 2:]
    return np.asarray(frame[visible & beside][:, :3] @ LUMA, np.float64)

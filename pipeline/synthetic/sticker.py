"""A drawn sticker: the frames as its GIF shows them, and everything that is known about them.

Shapes: T frames, H height, W width, 4 = straight RGBA, colour zeroed where alpha is 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Sticker:
    """One drawn animation with its truth.

    frames: uint8 (T, H, W, 4), alpha 0 or 255, at most 254 colours: exactly what decoding its GIF gives.
    clean_frames: the same (T, H, W, 4) without text; both have one palette, so nothing else differs.
    text_mask: bool (T, H, W), true exactly where the text changed a pixel.
    text: what is written, None if nothing; language: zh | en | mixed, None without text.
    text_box: x0, y0, x1, y1 in pixels around the mask of all frames, x1 and y1 outside; None without text.
    delays_ms: T delays in milliseconds, as stored in the file.
    """

    name: str
    label: str
    frames: NDArray[np.uint8]
    clean_frames: NDArray[np.uint8]
    text_mask: NDArray[np.bool_]
    text: str | None
    language: str | None
    text_box: tuple[int, int, int, int] | None
    delays_ms: tuple[int, ...]
    motion: str
    shape: str

"""Pictures: straight-alpha frames -> PNG data URLs over white; a clip -> a few of its frames with their seconds.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

import base64
import io
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.models.served.request import Picture
from pipeline.text.backdrop import lay_over
from schemas.clip import Clip

WHITE = 255
COMPRESS_LEVEL = 1  # fast: the pixels are what counts, the network is near


def encode_picture(frame: NDArray[np.uint8], *, max_side: int) -> Picture:
    """Lay a frame (H, W, 4) over white, shrink it where a side is longer than `max_side`, and encode it."""
    image = Image.fromarray(lay_over(frame, WHITE))
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=COMPRESS_LEVEL)
    return Picture("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))


def spread_frames(clip: Clip, num_frames: int) -> list[tuple[int, float]]:
    """Choose at most `num_frames` distinct frames, spread evenly over time; return index and start in seconds.

    All of them where there are no more than that. Otherwise time is cut into equal parts, and the frame shown in
    the middle of each part is taken; a frame shown over several parts is taken once.
    """
    ends_ms = list(accumulate(clip.durations_ms))
    starts_ms = [0, *ends_ms[:-1]]
    if len(ends_ms) <= num_frames:
        return [(index, start / 1000) for index, start in enumerate(starts_ms)]
    middles = (np.arange(num_frames) + 0.5) * ends_ms[-1] / num_frames
    chosen = np.unique(np.searchsorted(ends_ms, middles, side="right"))
    return [(int(index), starts_ms[int(index)] / 1000) for index in chosen]

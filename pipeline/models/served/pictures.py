"""Pictures: straight-alpha frames -> PNG data URLs over white.

Shapes: H height, W width; 4 = straight RGBA, uint8.
"""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.models.served.request import Picture
from pipeline.text.backdrop import lay_over

WHITE = 255
COMPRESS_LEVEL = 1  # fast: the pixels are what counts, the network is near


def encode_picture(frame: NDArray[np.uint8], *, max_side: int) -> Picture:
    """Lay a frame (H, W, 4) over white, shrink it where a side is longer than `max_side`, and encode it."""
    image = Image.fromarray(lay_over(frame, WHITE))
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=COMPRESS_LEVEL)
    return Picture("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))

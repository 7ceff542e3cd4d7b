"""Encode: canonical frames -> lossless WebP, the form in which clean clips are stored and exported.

Measured: about as small as the GIF it came from and four to five times faster to decode.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

METHOD = 2  # effort 0..6; 4 costs 5 % more time for the same size
MAX_DELAY_MS = (1 << 24) - 1


def encode_webp(frames: NDArray[np.uint8], durations_ms: Sequence[int] = ()) -> bytes:
    """Encode distinct frames (D, H, W, 4) with one duration each; one frame alone becomes a still WebP."""
    first, *rest = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    if not rest:
        first.save(buffer, "WEBP", lossless=True, method=METHOD, exact=True)
        return buffer.getvalue()
    assert len(durations_ms) == len(frames), "one duration per distinct frame"
    first.save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=[min(duration, MAX_DELAY_MS) for duration in durations_ms],
        loop=0,
        lossless=True,
        method=METHOD,
        exact=True,
    )
    return buffer.getvalue()


def encode_png_mask(mask: NDArray[np.bool_]) -> bytes:
    """Encode a mask (H, W) as a one-bit-looking PNG of 0 and 255."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()

"""Pictures: lossless WebP -> frames over a background, padded to a square and resized.

Shapes: D distinct frames stored, F frames, S pixels of the square.
"""

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mobius_model.data.draws import Colour
from schemas.errors import CorruptMedia


def draw_frames(
    media: bytes, shown: Sequence[int], *, num_distinct_frames: int, background: Colour, size: int
) -> NDArray[np.uint8]:
    """Decode the frames `shown` (F indices below D) and paint each: uint8 (F, S, S, 3).

    Raises CorruptMedia if the bytes are no WebP, or do not hold D frames.
    """
    wanted, places = np.unique(np.asarray(shown), return_inverse=True)
    frames = _decode(media, wanted.tolist(), num_distinct_frames)
    painted = np.stack([np.asarray(paint_square(frame, background=background, size=size)) for frame in frames])
    drawn: NDArray[np.uint8] = painted[places]
    return drawn


def paint_square(frame: Image.Image, *, background: Colour, size: int) -> Image.Image:
    """Composite over the background, pad to a square with it, resize to `size` with antialiasing.

    Compositing comes first: over an opaque background it is the same as resizing premultiplied colours.
    """
    side = max(frame.size)
    square = Image.new("RGB", (side, side), background)
    corner = (side - frame.width) // 2, (side - frame.height) // 2
    square.paste(frame, corner, mask=frame if frame.mode == "RGBA" else None)
    return square.resize((size, size), Image.Resampling.BICUBIC)


def to_pixels(frames: NDArray[np.uint8]) -> Tensor:
    """Map uint8 (..., S, S, 3) to float32 (..., 3, S, S) in [-1, 1]."""
    channels_first = torch.from_numpy(frames).movedim(-1, -3)
    pixels = torch.empty(channels_first.shape).copy_(channels_first)  # one pass over memory instead of two
    return pixels.div_(127.5).sub_(1)


def _decode(media: bytes, wanted: Sequence[int], num_distinct_frames: int) -> list[Image.Image]:
    """Decode ascending frames; what comes before them has to be decoded as well, what comes after does not."""
    frames = []
    try:
        with Image.open(io.BytesIO(media), formats=["WEBP"]) as image:
            found = getattr(image, "n_frames", 1)
            if found != num_distinct_frames:
                raise CorruptMedia(f"{found} frames, its row says {num_distinct_frames}")
            for index in wanted:
                image.seek(index)
                frames.append(image.convert("RGBA" if image.mode == "RGBA" else "RGB"))
    except (OSError, SyntaxError, EOFError) as error:
        raise CorruptMedia("its picture is not a readable WebP") from error
    return frames

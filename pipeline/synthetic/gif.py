"""Frames of few colours -> a GIF whose decoded frames are exactly these.

Shapes: T frames, H height, W width, 4 = straight RGBA.
"""

import io
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TRANSPARENT = 255
SPARE = 254


def encode_gif(frames: NDArray[np.uint8], delays_ms: tuple[int, ...]) -> bytes:
    """Encode frames (T, H, W, 4) with alpha 0 or 255 and at most 254 colours, looping forever.

    Every frame is stored, equal neighbours too. Delays are stored in steps of 10 ms.
    """
    indices, palette = _index(frames)
    _tell_equal_neighbours_apart(indices, palette)
    flat_palette = palette.tobytes()
    images = []
    for frame in indices:
        image = Image.fromarray(frame)
        image.putpalette(flat_palette)
        images.append(image)
    has_alpha = bool((indices == TRANSPARENT).any())
    file = io.BytesIO()
    images[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=list(delays_ms) if len(delays_ms) > 1 else delays_ms[0],
        loop=0,
        disposal=2 if has_alpha else 1,
        optimize=False,
        **({"transparency": TRANSPARENT} if has_alpha else {}),
    )
    return file.getvalue()


def _index(frames: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return palette indices (T, H, W) and the palette (256, 3)."""
    channels = frames.astype(np.uint32)
    packed = (channels[..., 0] << 16) | (channels[..., 1] << 8) | channels[..., 2]
    is_opaque = frames[..., 3] == 255
    is_present = np.zeros(1 << 24, np.bool_)
    is_present[packed[is_opaque]] = True
    colours = np.flatnonzero(is_present)
    assert len(colours) <= SPARE, f"{len(colours)} colours, room for {SPARE}"
    numbers = np.zeros(1 << 24, np.uint8)
    numbers[colours] = np.arange(len(colours))
    indices = np.where(is_opaque, numbers[packed], np.uint8(TRANSPARENT))
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(colours)] = np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], axis=1)
    return indices, palette


def _tell_equal_neighbours_apart(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> None:
    """Give one pixel of a repeated frame a second index of the same colour.

    Pillow leaves out a frame whose indices equal those before it and adds up the delays; so it stays.
    """
    repeated = [now for before, now in pairwise(indices) if np.array_equal(before, now)]
    if not repeated:
        return
    counts = np.min([np.bincount(frame.ravel(), minlength=256)[:SPARE] for frame in repeated], axis=0)
    colour = int(counts.argmax())
    assert counts[colour] > 0, "repeated frames need an opaque colour that all of them show"
    palette[SPARE] = palette[colour]
    # Of three equal frames in a row the second is changed, so the third differs from it as it is.
    for before, now in pairwise(indices):
        if np.array_equal(before, now):
            now.flat[np.flatnonzero(now == colour)[0]] = SPARE

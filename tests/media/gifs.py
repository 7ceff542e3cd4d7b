"""GIFs made in code, so that a test says itself what is in the file."""

import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encode_gif(colours: Sequence[tuple[int, int, int]], *, size: int = 8, delays_ms: Sequence[int] = ()) -> bytes:
    """Encode one plain frame per colour; neighbours must differ, or Pillow merges them."""
    frames = [Image.new("RGB", (size, size), colour) for colour in colours]
    buffer = io.BytesIO()
    durations = list(delays_ms) or [100] * len(frames)
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return buffer.getvalue()


def encode(image: Image.Image, form: str, **settings: object) -> bytes:
    """Encode an image in any form that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return buffer.getvalue()


def moving_square(num_frames: int, *, size: int = 16) -> NDArray[np.uint8]:
    """Draw a red square that moves one pixel a frame over transparency: (T, size, size, 4)."""
    frames = np.zeros((num_frames, size, size, 4), np.uint8)
    for index in range(num_frames):
        left = index % (size - 4)
        frames[index, 4:8, left : left + 4] = (255, 0, 0, 255)
    return frames


def raw_gif(canvas: tuple[int, int], frames: Sequence[bytes], *, loop: int | None = None) -> bytes:
    """Put a GIF together from raw frame blocks, with a two-colour palette of black and white."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    looping = b"" if loop is None else b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0"
    return head + looping + b"".join(frames) + b"\x3b"


def raw_frame(place: tuple[int, int, int, int], index: int, *, delay_cs: int = 10, disposal: int = 0) -> bytes:
    """Encode one frame of a single palette index, with a graphic control block before it; place = x, y, w, h."""
    left, top, width, height = place
    control = b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2, delay_cs, 0) + b"\0"
    descriptor = b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0)
    return control + descriptor + b"\x02" + _lzw(index, width * height) + b"\0"


def _lzw(index: int, num_pixels: int) -> bytes:
    """Pack pixels as uncompressed LZW codes of three bits, with a clear code before each."""
    codes = []
    for _ in range(num_pixels):
        codes += [4, index]
    codes.append(5)
    bits = 0
    for place, code in enumerate(codes):
        bits |= code << 3 * place
    data = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    chunks = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(chunk)]) + chunk for chunk in chunks)

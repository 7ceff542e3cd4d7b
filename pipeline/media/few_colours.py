"""Many colours -> the few that a palette has room for, and each pixel's number among them.

Shapes: N pixels or colours, P colours of the palette; packed = one little-endian RGBA uint32 each.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NUM_SAMPLED = 1 << 14  # pixels that a palette is made from
AT_ONCE = 1 << 14  # colours compared with the palette at a time


def few_colours(pixels: NDArray[np.uint32], room: int) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Return colours (P,), P <= room, and for each of N packed pixels the number of its own, or of a near one.

    Too many are cut at the median, then moved by k-means; no dithering, which would make noise of flat colours.
    """
    colours, numbers = np.unique(pixels, return_inverse=True)
    if len(colours) <= room:
        return colours, numbers
    sampled = red_green_blue(pixels[:: -(-len(pixels) // NUM_SAMPLED)])
    cut = Image.fromarray(sampled[np.newaxis]).quantize(room, Image.Quantize.MEDIANCUT, kmeans=1)
    fewer = np.unique(np.asarray(cut.getpalette(), np.uint8).reshape(-1, 3), axis=0)
    opaque = np.pad(fewer, ((0, 0), (0, 1)), constant_values=255)
    return opaque.view("<u4")[:, 0], _nearest(red_green_blue(colours), fewer)[numbers]


def _nearest(colours: NDArray[np.uint8], fewer: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return for each of N colours (N, 3) the number of the nearest of P (P, 3)."""
    known = fewer.astype(np.float32)
    squares = (known**2).sum(axis=1)
    nearest = np.empty(len(colours), np.intp)
    for start in range(0, len(colours), AT_ONCE):
        some = colours[start : start + AT_ONCE].astype(np.float32)
        nearest[start : start + AT_ONCE] = (squares - 2 * some @ known.T).argmin(axis=1)
    return nearest


def red_green_blue(pixels: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return packed pixels (N,) as (N, 3)."""
    return np.ascontiguousarray(np.ascontiguousarray(pixels).view(np.uint8).reshape(-1, 4)[:, :3])

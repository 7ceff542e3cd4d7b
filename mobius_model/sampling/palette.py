"""Palette: the frames of one clip -> the few colours they share, and each pixel's number among them.

Shapes: F frames, H W height and width, N pixels, P colours of the palette.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NUM_SAMPLED = 1 << 17  # pixels that a palette is made from
AT_ONCE = 1 << 16  # colours compared with the palette at a time


def make_palette(frames: NDArray[np.uint8], *, max_colours: int) -> NDArray[np.uint8]:
    """Return the colours, uint8 (P, 3), P <= max_colours, that stand for all frames, uint8 (F, H, W, 3), together.

    The frames' own colours where they are few enough; else median cut, refined by k-means (a third to a tenth of
    the median cut's error).
    """
    colours = _distinct(frames.reshape(-1, 3))[0]
    if len(colours) <= max_colours:
        return colours
    pixels = frames.reshape(-1, 3)
    pixels = pixels[:: -(-len(pixels) // NUM_SAMPLED)]
    cut = Image.fromarray(pixels[np.newaxis]).quantize(max_colours, Image.Quantize.MEDIANCUT, kmeans=1)
    return np.unique(np.asarray(cut.getpalette(), np.uint8).reshape(-1, 3), axis=0)


def to_indices(frames: NDArray[np.uint8], palette: NDArray[np.uint8], *, dither: bool) -> NDArray[np.uint8]:
    """Return each pixel's nearest colour, uint8 (F, H, W).

    dither: adds a fixed pattern (8 x 8 Bayer) before, as strong as the palette is coarse; what stands still stays
    still, which error diffusion does not give.
    """
    distinct, places = _distinct(frames.reshape(-1, 3))
    nearest = _nearest(distinct, palette)
    mean_square = float(np.mean((distinct.astype(np.float32) - palette[nearest]) ** 2))
    if not dither or mean_square == 0:
        return nearest[places].reshape(frames.shape[:3])
    step = np.sqrt(12 * mean_square)  # a quantizer of this step errs so much
    height, width = frames.shape[1:3]
    pattern = np.tile(_bayer(8), (-(-height // 8), -(-width // 8)))[:height, :width]
    moved = np.clip(frames + step * pattern[:, :, np.newaxis], 0, 255)  # F H W 3
    return _nearest(moved.reshape(-1, 3), palette).reshape(frames.shape[:3])


def _distinct(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the distinct colours, in order, and where each of N pixels finds its own."""
    wide = pixels.astype(np.uint32)
    packed = wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]
    values, places = np.unique(packed, return_inverse=True)
    colours = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.uint8)
    return colours, places


def _nearest(colours: NDArray[np.generic], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the nearest of P colours for each of N; exact for whole numbers."""
    known = palette.astype(np.float32)
    squares = (known**2).sum(axis=1)
    nearest = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), AT_ONCE):
        some = colours[start : start + AT_ONCE].astype(np.float32)
        nearest[start : start + AT_ONCE] = (squares - 2 * some @ known.T).argmin(axis=1)
    return nearest


def _bayer(side: int) -> NDArray[np.float32]:
    """Return the ordered-dither matrix of a power of two, values from -0.5 to 0.5, mean 0."""
    order = np.zeros((1, 1))
    while len(order) < side:
        order = np.block([[4 * order, 4 * order + 2], [4 * order + 3, 4 * order + 1]])
    return ((order + 0.5) / order.size - 0.5).astype(np.float32)

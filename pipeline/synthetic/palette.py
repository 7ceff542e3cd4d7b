"""Clean and lettered frames of one clip -> the same frames in one small palette with binary alpha.

Shapes: K frames, H height, W width, 4 = RGBA (premultiplied coming in, straight going out), P colours.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_COLOURS = 254
"""One entry of a GIF palette is for transparency, one is kept spare for `gif`."""
BITS = 6


def quantise(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Map premultiplied frames (K, H, W, 4) to 254 shared colours at most; equal pixels stay equal.

    Returns straight RGBA of the same shape with alpha 0 or 255 and colour zero where alpha is 0.
    """
    is_opaque = frames[..., 3] >= 128
    codes = _codes(_straight(frames))
    counts = np.bincount(codes[is_opaque], minlength=1 << (3 * BITS))
    present = np.flatnonzero(counts)
    colours = _colours(present)
    palette = _choose(colours, counts[present])
    table = np.zeros((1 << (3 * BITS), 4), np.uint8)
    table[present, :3] = palette[_nearest(colours, palette)]
    table[present, 3] = 255
    mapped = table[codes]
    mapped[~is_opaque] = 0
    return mapped


def _straight(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the premultiplication where a pixel is covered in part; others keep their colour."""
    straight = frames[..., :3].copy()
    partial = (frames[..., 3] > 0) & (frames[..., 3] < 255)
    edge = frames[partial]
    straight[partial] = np.minimum(255, edge[:, :3].astype(np.uint32) * 255 // edge[:, 3:])
    return straight


def _codes(colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Pack colours (..., 3) into numbers of 3 * BITS bits."""
    coarse = (colours >> (8 - BITS)).astype(np.int32)
    return (coarse[..., 0] << (2 * BITS)) | (coarse[..., 1] << BITS) | coarse[..., 2]


def _colours(codes: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Unpack numbers (P,) into colours (P, 3); black and white come back exactly."""
    top = (1 << BITS) - 1
    channels = np.stack([codes >> (2 * BITS), (codes >> BITS) & top, codes & top], axis=1)
    return (channels * 255 // top).astype(np.uint8)


def _choose(colours: NDArray[np.uint8], counts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Choose at most MAX_COLOURS of (P, 3); the square root of the counts keeps small details alive."""
    if len(colours) <= MAX_COLOURS:
        return colours
    weighted = np.repeat(colours, np.ceil(np.sqrt(counts)).astype(np.intp), axis=0)
    quantised = Image.fromarray(weighted[None]).quantize(MAX_COLOURS, Image.Quantize.MEDIANCUT)
    return np.asarray(quantised.getpalette(), np.uint8).reshape(-1, 3)[:MAX_COLOURS]


def _nearest(colours: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return for each colour (P, 3) the number of the nearest palette entry; whole numbers, hence exact."""
    entries = palette.astype(np.float64)
    # |c - p|^2 without |c|^2, which is the same for every entry.
    distance = (entries**2).sum(axis=1) - 2 * colours.astype(np.float64) @ entries.T
    nearest: NDArray[np.intp] = distance.argmin(axis=1)
    return nearest

"""Palette: pixel colours -> the few names a caption uses, by the nearest named swatch in CIELAB.

Shapes: N pixels; 3 = RGB, uint8, or L*, a*, b*. Colours are looked up with 5 bits per channel, so a table of
32,768 entries answers for every pixel.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Color

LIGHTNESS_WEIGHT = 0.8  # names follow hue more than lightness
_BITS = 5

_SWATCHES: dict[Color, tuple[str, ...]] = {
    Color.BLACK: ("000000", "1c1c1c", "2b2b2b"),
    Color.WHITE: ("ffffff", "efefef", "f4f4fa"),
    Color.GRAY: ("484848", "606060", "808080", "a0a0a0", "b8b8b8", "cfcfcf", "5a6470", "90a4ae", "b0bec5"),
    Color.RED: ("ff0000", "e53935", "c62828", "a01010", "7a0f12", "ef5350", "d8403a"),
    Color.ORANGE: ("ff8c00", "fb8c00", "f57c00", "ffa63c", "ef6c00", "ff7043", "e08a3c"),
    Color.YELLOW: ("ffeb3b", "fdd835", "ffca28", "fff176", "fff9a0", "fcc21b", "d4b000", "ffc107", "f9c21a"),
    Color.GREEN: (
        "00a000",
        "43a047",
        "7cb342",
        "006400",
        "a5d66b",
        "9be29b",
        "6e7a28",
        "2e7d32",
        "00ff00",
        "a8c030",
    ),
    Color.TURQUOISE: ("26c6da", "00acac", "80e0d8", "007c80", "40e0d0", "00ffff", "4dd0c0", "004c50"),
    Color.BLUE: (
        "0000ff",
        "1e50dc",
        "3c82e6",
        "64a8f0",
        "14206e",
        "90caf9",
        "29b6f6",
        "3949ab",
        "4060a0",
        "81d4fa",
        "000060",
        "003c64",
        "2020ff",
    ),
    Color.PURPLE: ("800080", "9650c8", "5a2896", "be96e6", "7e57c2", "4a148c", "ab47bc", "a000ff", "cc44ff"),
    Color.PINK: ("ff69b4", "ffb4c8", "f08caa", "ff00c8", "f48fb1", "ff9e94", "ec407a", "ff80ff"),
    Color.BROWN: ("654321", "8b4513", "5c3317", "a0643c", "4b2d19", "3e2419", "795548", "a1783c", "8d6e63"),
    Color.BEIGE: ("f5deb3", "ebd2b4", "dcbe96", "ffe0bd", "d7b899", "f3e5c8"),
}
NAMES: tuple[Color, ...] = tuple(_SWATCHES)


class Table(NamedTuple):
    """For each of the 32,768 colours: L*, a*, b* (32768, 3) and the index of its name (32768,)."""

    lab: NDArray[np.float32]
    name: NDArray[np.uint8]


@cache
def color_table() -> Table:
    """Work the table out once per process."""
    levels = (np.arange(1 << _BITS) * 255 / ((1 << _BITS) - 1)).astype(np.float64)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)  # 32768 3
    lab = _to_lab(grid)
    swatches = [(NAMES.index(color), swatch) for color, hexes in _SWATCHES.items() for swatch in hexes]
    swatch_lab = _to_lab(np.array([tuple(bytes.fromhex(swatch)) for _, swatch in swatches], np.float64))  # S 3
    weights = np.array([LIGHTNESS_WEIGHT, 1.0, 1.0])
    distance = np.full(len(lab), np.inf)
    name = np.zeros(len(lab), np.uint8)
    for (index, _), center in zip(swatches, swatch_lab, strict=True):
        to_this = (((lab - center) * weights) ** 2).sum(axis=1)
        is_nearer = to_this < distance
        name[is_nearer] = index
        distance[is_nearer] = to_this[is_nearer]
    return Table(lab.astype(np.float32), name)


def color_codes(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return each pixel's (..., 3) row in the table (...)."""
    high = (rgb >> (8 - _BITS)).astype(np.intp)
    return (high[..., 0] << (2 * _BITS)) | (high[..., 1] << _BITS) | high[..., 2]


def name_shares(rgb: NDArray[np.uint8]) -> list[tuple[Color, float]]:
    """Return the names of the pixels (N, 3) with their shares, largest first; ties as in the palette."""
    if len(rgb) == 0:
        return []
    counts = np.bincount(color_table().name[color_codes(rgb)], minlength=len(NAMES))
    order = sorted(range(len(NAMES)), key=lambda index: (-counts[index], index))
    return [(NAMES[index], float(counts[index]) / len(rgb)) for index in order if counts[index]]


def _to_lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert sRGB 0..255 (N, 3) to CIELAB under D65 (IEC 61966-2-1, CIE 15)."""
    scaled = rgb / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    curved = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = curved[:, 0], curved[:, 1], curved[:, 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)

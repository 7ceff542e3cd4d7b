"""Fill: frames and masks -> frames without what the masks cover, and how each pixel was won.

Shapes: D distinct frames, H height, W width; h, w of a region's window; 4 = RGBA, uint8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.flat import fill_flat
from pipeline.clean.invent import Inventor
from pipeline.clean.recover import recover
from pipeline.clean.regions import Region, split_regions, tiles
from pipeline.models.protocols import Inpainter

Mask = NDArray[np.bool_]

TILE = 24  # pixels: what no frame shows as a whole is sought in pieces of this size


@dataclass(frozen=True, slots=True)
class Filled:
    """Cleaned frames (D, H, W, 4), which of their pixels are invented (D, H, W), and counts by origin."""

    frames: NDArray[np.uint8]
    invented: Mask
    recovered_pixels: int
    flat_pixels: int


def fill_masks(
    frames: NDArray[np.uint8],
    masks: Mask,
    *,
    inpainter: Inpainter,
    same_ring: float,
    flat_tolerance: float,
) -> Filled:
    """Fill every masked pixel: from another frame, else from a flat surrounding, else by invention.

    All other pixels stay as they are; the frames given are only read.
    """
    work = frames.copy()
    invented = np.zeros_like(masks)
    inventor = Inventor(inpainter)
    num_recovered = num_flat = 0
    for frame in map(int, np.flatnonzero(masks.any(axis=(1, 2)))):
        rest: list[Region] = []
        seek = partial(recover, frames, masks, frame, target=work[frame], same_ring=same_ring)
        flatten = partial(fill_flat, target=work[frame], tolerance=flat_tolerance)
        for region in split_regions(masks[frame]):
            left, of_region = _fill_region(region, seek, flatten)
            num_recovered += of_region
            num_flat += int(region.pixels.sum() - left.pixels.sum()) - of_region
            if left.pixels.any():
                rest.append(left)
                invented[frame, left.rows, left.columns] |= left.pixels
        inventor.fill(work[frame], rest)
    return Filled(work, invented, num_recovered, num_flat)


def _fill_region(
    region: Region, seek: Callable[[Region], Mask], flatten: Callable[[Region], bool]
) -> tuple[Region, int]:
    """Fill what can be known of one region; return what is left of it and how many pixels were recovered.

    The region as a whole is sought on other frames before anything else, for its ring is the best evidence. Tiles
    of it are sought only where the surroundings are not flat: their rings are short.
    """
    filled = seek(region)
    num_recovered = int(filled.sum())
    left = region.without(filled)
    if not left.pixels.any() or flatten(left):
        return left.without(left.pixels), num_recovered
    for tile in tiles(left, TILE):
        filled = seek(tile)
        num_recovered += int(filled.sum())
        left = left.without(filled)
    if left.pixels.any() and flatten(left):
        left = left.without(left.pixels)
    return left, num_recovered

"""Fill: frames and masks -> frames without what the masks cover, and how each pixel was won.

Shapes: D distinct frames, H height, W width; h, w of a region's window; 4 = RGBA, uint8.
"""

from dataclasses import dataclass

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
        for region in split_regions(masks[frame]):
            left = _recovered(frames, masks, frame, region, work[frame], same_ring=same_ring)
            num_left = int(left.pixels.sum())
            num_recovered += int(region.pixels.sum()) - num_left
            if not num_left:
                continue
            if fill_flat(left, work[frame], tolerance=flat_tolerance):
                num_flat += num_left
                continue
            rest.append(left)
            invented[frame, left.rows, left.columns] |= left.pixels
        inventor.fill(work[frame], rest)
    return Filled(work, invented, num_recovered, num_flat)


def _recovered(
    frames: NDArray[np.uint8],
    masks: Mask,
    frame: int,
    region: Region,
    target: NDArray[np.uint8],
    *,
    same_ring: float,
) -> Region:
    """Recover what other frames show of a region, first as a whole, then in tiles; return what is left of it."""

    left = region.without(recover(frames, masks, frame, region, target, same_ring=same_ring))
    if left.pixels.any():
        for tile in tiles(left, TILE):
            left = left.without(recover(frames, masks, frame, tile, target, same_ring=same_ring))
    return left

"""Recover: masked pixels of one frame -> the same pixels of another frame on which the text is absent.

Shapes: D distinct frames, H height, W width; h, w of a region's window; 4 = RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.difference import difference
from pipeline.clean.regions import Region

Mask = NDArray[np.bool_]

MAX_DONORS = 16  # frames compared with, for one region
MIN_RING_SHARE = 0.5  # of the ring must be free of text on both frames
OUTLIER = 24  # grey levels: a ring pixel that disagrees
MAX_OUTLIERS = 0.03  # share of the ring
STILL_TEXT = 8.0  # grey levels, mean: nearer than this to the masked pixels, the donor shows the text as well


def recover(
    frames: NDArray[np.uint8],
    masks: Mask,
    frame: int,
    region: Region,
    target: NDArray[np.uint8],
    *,
    same_ring: float,
) -> Mask:
    """Copy what other frames (D, H, W, 4) show in the region into `target` (H, W, 4), the nearest in look first.

    A frame gives its pixels only if the ring around the region is the same on both; returns the pixels filled (h, w).
    """
    window = (region.rows, region.columns)
    filled = np.zeros_like(region.pixels)
    for donor in _donors(frames, masks, frame, region, same_ring=same_ring):
        usable = region.pixels & ~filled & ~masks[donor][window]
        target[window][usable] = frames[donor][window][usable]
        filled |= usable
        if filled.sum() == region.pixels.sum():
            break
    return filled


def _donors(frames: NDArray[np.uint8], masks: Mask, frame: int, region: Region, *, same_ring: float) -> list[int]:
    """Return the frames that agree around the region, best first, ties by nearness in time."""
    window = (region.rows, region.columns)
    here = frames[frame][window]
    free = (region.pixels & ~masks[(slice(None), *window)]).any(axis=(1, 2))
    candidates = sorted(np.flatnonzero(free), key=lambda donor: (abs(int(donor) - frame), donor))
    step = -(-len(candidates) // MAX_DONORS) if candidates else 1
    ranked = []
    for donor in map(int, candidates[::step]):
        hidden = masks[donor][window]
        ring, usable = region.ring & ~hidden, region.pixels & ~hidden
        if ring.sum() < MIN_RING_SHARE * region.ring.sum() or not ring.any():
            continue
        change = difference(frames[donor][window], here)
        if change[ring].mean() > same_ring or (change[ring] > OUTLIER).mean() > MAX_OUTLIERS:
            continue
        if change[usable].mean() < STILL_TEXT:
            continue
        ranked.append((float(change[ring].mean()), abs(donor - frame), donor))
    return [donor for _, _, donor in sorted(ranked)]

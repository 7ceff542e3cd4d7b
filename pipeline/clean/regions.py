"""Regions: the mask of one frame -> pieces that are filled one by one, each with the ring around it.

Shapes: H height, W width; h, w of the window around one region.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.clean.dilate import dilate

Mask = NDArray[np.bool_]

GAP = 3  # pixels: strokes nearer than this are filled together
RING = 3  # pixels around a region by which it is judged


@dataclass(frozen=True, slots=True)
class Region:
    """A connected piece of a mask: where its window lies, and in the window (h, w) its pixels and its ring.

    The ring holds only pixels that no text covers.
    """

    rows: slice
    columns: slice
    pixels: Mask
    ring: Mask

    def without(self, filled: Mask) -> "Region":
        """Return what is left after some pixels (h, w) were filled; those count as its ring where they touch it."""
        left = self.pixels & ~filled
        ring = dilate(left, RING) & ~left & (self.ring | filled)
        return Region(self.rows, self.columns, left, ring)


def tiles(region: Region, size: int) -> Iterator[Region]:
    """Yield the pieces of a region in squares of so many pixels; the ring of each is what the region's is there."""
    height, width = region.pixels.shape
    for top in range(0, height, size):
        for left in range(0, width, size):
            pixels = np.zeros_like(region.pixels)
            pixels[top : top + size, left : left + size] = region.pixels[top : top + size, left : left + size]
            if pixels.any():
                yield Region(region.rows, region.columns, pixels, dilate(pixels, RING) & region.ring)


def split_regions(mask: Mask) -> list[Region]:
    """Split the mask of one frame (H, W); strokes less than GAP apart are one region."""
    joined = dilate(mask, GAP // 2 + GAP % 2)
    num, labels, boxes, _ = cv2.connectedComponentsWithStats(joined.astype(np.uint8), connectivity=8)
    regions = []
    for label in range(1, num):
        left, top, width, height = (int(value) for value in boxes[label][:4])
        rows = slice(max(0, top - RING), min(mask.shape[0], top + height + RING))
        columns = slice(max(0, left - RING), min(mask.shape[1], left + width + RING))
        pixels = (labels[rows, columns] == label) & mask[rows, columns]
        ring = dilate(pixels, RING) & ~mask[rows, columns]
        regions.append(Region(rows, columns, pixels, ring))
    return regions

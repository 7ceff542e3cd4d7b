"""Invent: regions nothing is known about -> pixels from the Inpainter, the same for the same surroundings.

Shapes: H height, W width; h, w of a region's window; 3 = RGB, 4 = RGBA, uint8.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.clean.difference import difference
from pipeline.clean.regions import Region
from pipeline.models.protocols import Inpainter

Mask = NDArray[np.bool_]

CONTEXT = 12  # pixels of picture around the regions that the inpainter sees
ALIKE = 3.0  # grey levels, mean over the ring: surroundings that get the same invention
OUTLIER = 24  # grey levels: a ring pixel that disagrees
MAX_OUTLIERS = 0.03  # share of the ring
HALF = 128


@dataclass(frozen=True, slots=True)
class _Invention:
    """What was once invented for a region: the ring it had, and its pixels, each (N, 4)."""

    ring: NDArray[np.uint8]
    pixels: NDArray[np.uint8]


@dataclass(slots=True)
class Inventor:
    """Fills the regions of one clip; remembers what it invented, so that a region that stands still cannot flicker."""

    inpainter: Inpainter
    inventions: defaultdict[bytes, list[_Invention]] = field(default_factory=lambda: defaultdict(list))

    def fill(self, target: NDArray[np.uint8], regions: Sequence[Region]) -> None:
        """Fill regions of one frame `target` (H, W, 4) in place; together they are all that is still unknown."""
        unknown = [region for region in regions if not self._fill_from_memory(target, region)]
        if not unknown:
            return
        _inpaint(target, unknown, self.inpainter)
        for region in unknown:
            window = target[region.rows, region.columns]
            invention = _Invention(window[region.ring], window[region.pixels])
            self.inventions[_key(region)].append(invention)

    def _fill_from_memory(self, target: NDArray[np.uint8], region: Region) -> bool:
        window = target[region.rows, region.columns]
        for invention in self.inventions.get(_key(region), ()):
            change = difference(invention.ring, window[region.ring])
            if not change.size or (change.mean() <= ALIKE and (change > OUTLIER).mean() <= MAX_OUTLIERS):
                window[region.pixels] = invention.pixels
                return True
        return False


def _key(region: Region) -> bytes:
    place = (region.rows.start, region.columns.start, *region.pixels.shape)
    return repr(place).encode() + np.packbits(region.pixels).tobytes() + np.packbits(region.ring).tobytes()


def _inpaint(target: NDArray[np.uint8], regions: Sequence[Region], inpainter: Inpainter) -> None:
    """Inpaint all regions of a frame (H, W, 4) on one crop; alpha is inpainted like a grey picture.

    Transparent pixels have no colour to give: the nearest visible one stands in for theirs.
    """
    rows = _around([region.rows for region in regions])
    columns = _around([region.columns for region in regions])
    mask = np.zeros(target.shape[:2], bool)
    for region in regions:
        mask[region.rows, region.columns] |= region.pixels
    mask, crop = mask[rows, columns], target[rows, columns]
    alpha = _inpaint_alpha(crop[..., 3], mask, inpainter)
    colour = inpainter.inpaint(_spread_colour(crop, ~mask & (crop[..., 3] > 0)), mask)
    result = np.concatenate([np.where(alpha[..., None] > 0, colour, 0), alpha[..., None]], axis=2)
    crop[mask] = result[mask]


def _around(windows: Sequence[slice]) -> slice:
    """Return one slice that holds all windows and their context."""
    return slice(
        max(0, min(window.start for window in windows) - CONTEXT),
        max(window.stop for window in windows) + CONTEXT,
    )


def _spread_colour(crop: NDArray[np.uint8], visible: Mask) -> NDArray[np.uint8]:
    """Return RGB (h, w, 3) of a crop (h, w, 4) in which hidden pixels have the colour of the nearest visible one."""
    colour = np.ascontiguousarray(crop[..., :3])
    if visible.all() or not visible.any():
        return colour
    _, labels = cv2.distanceTransformWithLabels(
        (~visible).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    of_label[labels[visible]] = colour[visible]
    return np.asarray(of_label[labels], np.uint8)


def _inpaint_alpha(alpha: NDArray[np.uint8], mask: Mask, inpainter: Inpainter) -> NDArray[np.uint8]:
    """Return alpha (H, W) with the mask filled; where only 0 and 255 are known, only these come out."""
    known = np.unique(alpha[~mask])
    if len(known) <= 1:
        return np.full_like(alpha, known[0] if len(known) else 255)
    filled = inpainter.inpaint(np.repeat(alpha[..., None], 3, axis=2), mask)[..., 0]
    if set(known.tolist()) <= {0, 255}:
        filled = np.where(filled >= HALF, 255, 0).astype(np.uint8)
    return np.asarray(np.where(mask, filled, alpha), np.uint8)

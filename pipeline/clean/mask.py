"""Mask: the tracks of a clip -> the pixels to be painted out on every distinct frame.

Shapes: D distinct frames, H height, W width; h, w of one stamp; 4 = RGBA, uint8.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.dilate import dilate
from pipeline.clean.ink import find_ink
from pipeline.text.polygons import clipped, grow, rasterise, text_height
from schemas.text import TextTrack

Mask = NDArray[np.bool_]

BOX_GROWTH = 0.25  # text heights by which the larger mask goes beyond the polygon


def ink_masks(frames: NDArray[np.uint8], tracks: Sequence[TextTrack], *, dilation: float) -> Mask:
    """Return masks (D, H, W) of strokes with outline and soft edges, `dilation` text heights wider than seen."""
    masks = np.zeros(frames.shape[:3], bool)
    for track in tracks:
        others = [other for other in tracks if other is not track]
        for stamp in find_ink(frames, track, others):
            ink = dilate(stamp.ink, max(1, round(dilation * stamp.height)))
            for frame, corner in stamp.corners.items():
                _press(ink, corner, masks[frame])
    return masks


def box_masks(frames: NDArray[np.uint8], tracks: Sequence[TextTrack]) -> Mask:
    """Return masks (D, H, W) of whole polygons, made larger: nothing between the strokes is kept."""
    return polygon_masks(frames, tracks, growth=BOX_GROWTH)


def polygon_masks(frames: NDArray[np.uint8], tracks: Sequence[TextTrack], *, growth: float) -> Mask:
    """Return masks (D, H, W) of the polygons, each grown by so many text heights."""
    masks = np.zeros(frames.shape[:3], bool)
    for track in tracks:
        for place in track.places:
            polygon = grow(place.polygon, growth * text_height(place.polygon))
            masks[place.first : place.last + 1] |= rasterise(polygon, (frames.shape[1], frames.shape[2]))
    return masks


def _press(ink: Mask, corner: tuple[int, int], mask: Mask) -> None:
    """Add a stamp (h, w) to a mask (H, W) in place; what lies beyond the canvas is dropped."""
    (top, left), (height, width) = corner, ink.shape
    rows = clipped(top, top + height, mask.shape[0])
    columns = clipped(left, left + width, mask.shape[1])
    mask[rows, columns] |= ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]

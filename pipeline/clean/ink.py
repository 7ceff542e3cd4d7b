"""Ink: one text and the frames it stands on -> the pixels its strokes, outline and soft edges cover.

Shapes: D distinct frames, H height, W width of the canvas; S sampled frames, h, w of a cut-out; 4 = RGBA, uint8.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.clean.ground import differs_from_ground
from pipeline.clean.letters import Line, find_letters
from pipeline.clean.premultiply import premultiply
from pipeline.clean.rim import find_rim
from pipeline.text.polygons import clipped, corners_of, grow, rasterise, shift, text_height
from schemas.text import Polygon, TextPlace, TextTrack

NUM_SAMPLES = 8
SPILL = 0.15  # text heights beyond the polygon where ink is looked for
BAND = 0.35  # text heights beyond that by which the ground is known
MIN_BAND = 3  # pixels
OTHERS_GROWTH = 0.1  # text heights around another text that are not looked at
RIM = 0.12  # text heights: the widest outline or soft edge looked for
SLICES_PER_HEIGHT = 1.25  # slices along the line, per text height of its length
NUM_SLICES = (3, 16)

Mask = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The ink of one text as a picture (h, w), and its top left corner on each frame that shows it."""

    ink: Mask
    height: float
    corners: dict[int, tuple[int, int]]  # frame -> top, left; may lie outside of the canvas


def find_ink(frames: NDArray[np.uint8], track: TextTrack, others: Sequence[TextTrack]) -> Iterator[Stamp]:
    """Yield the ink of one track over its frames (D, H, W, 4); one stamp per shape its polygon takes.

    others: the other texts, whose pixels tell nothing about the ground of this one.
    """
    for polygon, offsets in _same_shapes(track.places):
        yield _stamp(frames, polygon, offsets, others)


def _same_shapes(places: Sequence[TextPlace]) -> list[tuple[Polygon, dict[int, tuple[int, int]]]]:
    """Group the frames of a track by the shape of its polygon: frame -> whole pixels (dx, dy) from the first."""
    groups: list[tuple[Polygon, dict[int, tuple[int, int]]]] = []
    for place in places:
        corners = corners_of(place.polygon)
        for polygon, known in groups:
            moved = corners - corners_of(polygon)
            if np.ptp(moved, axis=0).max() < 1.0:
                offsets, offset = known, np.rint(moved.mean(0)).astype(int)
                break
        else:
            offsets, offset = {}, np.zeros(2, int)
            groups.append((place.polygon, offsets))
        for frame in range(place.first, place.last + 1):
            offsets[frame] = (int(offset[0]), int(offset[1]))
    return groups


def _stamp(
    frames: NDArray[np.uint8],
    polygon: Polygon,
    offsets: dict[int, tuple[int, int]],
    others: Sequence[TextTrack],
) -> Stamp:
    height = text_height(polygon)
    spill = max(1.0, SPILL * height)
    margin = spill + max(MIN_BAND, BAND * height)
    outer = corners_of(grow(polygon, margin))
    left, top = np.floor(outer.min(0)).astype(int)
    right, bottom = np.ceil(outer.max(0)).astype(int)
    size = (int(bottom - top), int(right - left))
    local = shift(polygon, -left, -top)
    near = rasterise(grow(local, spill), size)
    around = rasterise(grow(local, margin), size) & ~near
    corners = {frame: (int(top) + dy, int(left) + dx) for frame, (dx, dy) in offsets.items()}
    sampled = sorted(offsets)[:: -(-len(offsets) // NUM_SAMPLES)]
    pixels = np.stack([premultiply(cut_out(frames[frame], corners[frame], size)) for frame in sampled])
    canvas = np.ones(frames.shape[1:3], bool)
    usable = np.stack(
        [cut_out(canvas, corners[frame], size) & ~_covered(others, frame, corners[frame], size) for frame in sampled]
    )
    line = Line(rasterise(local, size), around, *_slices(local, size))
    ink = find_letters(pixels, usable, line)
    if ink is None:
        ink = differs_from_ground(pixels, usable, near=near, around=around)
    ink = _touching(ink & near, line.inside)
    return Stamp(ink | find_rim(pixels, usable, ink, width=round(RIM * height) + 1), height, corners)


def _covered(others: Sequence[TextTrack], frame: int, corner: tuple[int, int], size: tuple[int, int]) -> Mask:
    """Return the pixels of a cut-out (h, w) that other texts cover on one frame."""
    covered = np.zeros(size, bool)
    for place in (place for track in others for place in track.places if place.first <= frame <= place.last):
        polygon = shift(place.polygon, -corner[1], -corner[0])
        covered |= rasterise(grow(polygon, OTHERS_GROWTH * text_height(polygon)), size)
    return covered


def _slices(polygon: Polygon, size: tuple[int, int]) -> tuple[NDArray[np.int64], int]:
    """Return for each pixel of a cut-out (h, w) which slice across the line it lies in, and how many there are."""
    corners = corners_of(polygon)
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    long, short = (across, down) if np.hypot(*across) >= np.hypot(*down) else (down, across)
    length = max(1.0, float(np.hypot(*long)))
    num = int(np.clip(round(SLICES_PER_HEIGHT * length / max(1.0, float(np.hypot(*short)))), *NUM_SLICES))
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    along = ((x - corners[0, 0]) * long[0] + (y - corners[0, 1]) * long[1]) / length**2  # 0 to 1
    return np.clip((along * num).astype(np.int64), 0, num - 1), num


def _touching(ink: Mask, inside: Mask) -> Mask:
    """Return the connected pieces of ink that reach into the polygon."""
    _, labels = cv2.connectedComponents(ink.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[ink & inside])
    return np.asarray(np.isin(labels, touched[touched > 0]), np.bool_)


def cut_out(picture: NDArray[T], corner: tuple[int, int], size: tuple[int, int]) -> NDArray[T]:
    """Return a piece of given size (h, w) of a picture (H, W, ...), zero where it reaches beyond."""
    piece = np.zeros((*size, *picture.shape[2:]), picture.dtype)
    (top, left), (height, width) = corner, size
    rows = clipped(top, top + height, picture.shape[0])
    columns = clipped(left, left + width, picture.shape[1])
    shown = picture[rows, columns]
    piece[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = shown
    return piece

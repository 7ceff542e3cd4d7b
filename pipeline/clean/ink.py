"""Ink: one text and the frames it stands on -> the pixels its strokes, outline and soft edges cover.

Shapes: D distinct frames, H height, W width of the canvas; S sampled frames, h, w of a cut-out; 4 = RGBA, uint8.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.clean.premultiply import premultiply
from pipeline.text.polygons import corners_of, grow, rasterise, shift, text_height
from schemas.text import Polygon, TextPlace

NUM_SAMPLES = 8
SPILL = 0.25  # text heights beyond the polygon where ink is looked for
RING = 0.3  # text heights beyond that from which the ground is guessed
MIN_RING = 4  # pixels
SEEN = 0.3  # share of the sampled frames in which a pixel differs from the ground: it may resemble it in some
STEADY = 0.75  # share of the sampled frames in which ink keeps its colour, whatever moves behind it
STEADY_LEVELS = 24  # grey levels that count as the same colour
MIN_STEADY_INK = (
    0.4  # share of the ink that must be steady, else the letters change colour and it tells nothing
)
NOISE_FACTOR = 2.5  # times the roughness of the ring: what else differs from the ground
FAINT = (6.0, 24.0)  # grey levels: bounds of the lower threshold
STRONG = 24.0  # grey levels above the lower threshold
TELEA_RADIUS = 3.0  # pixels

Mask = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The ink of one text as a picture (h, w), and where its top left corner lies on each frame that shows it."""

    ink: Mask
    height: float
    corners: dict[int, tuple[int, int]]  # frame -> top, left; may lie outside of the canvas


def find_ink(
    frames: NDArray[np.uint8], places: Sequence[TextPlace], taken: Sequence[Mask]
) -> Iterator[Stamp]:
    """Yield the ink of one track over its frames (D, H, W, 4); one stamp per shape its polygon takes.

    Ink is what differs from the ground, guessed from around the polygon, and keeps its colour while the rest moves.
    taken: per frame the pixels (H, W) of all texts, which tell nothing about the ground.
    """
    for polygon, offsets in _same_shapes(places):
        yield _stamp(frames, polygon, offsets, taken)


def _same_shapes(places: Sequence[TextPlace]) -> list[tuple[Polygon, dict[int, tuple[int, int]]]]:
    """Group the frames of a track by the shape of its polygon: frame -> whole pixels (dx, dy) from the first."""
    groups: list[tuple[Polygon, dict[int, tuple[int, int]]]] = []
    for place in places:
        corners = corners_of(place.polygon)
        for polygon, offsets in groups:
            moved = corners - corners_of(polygon)
            if np.ptp(moved, axis=0).max() < 1.0:
                offset = np.rint(moved.mean(0)).astype(int)
                break
        else:
            offsets, offset = {}, np.zeros(2, int)
            groups.append((place.polygon, offsets))
        for frame in range(place.first, place.last + 1):
            offsets[frame] = (int(offset[0]), int(offset[1]))
    return groups


def _stamp(
    frames: NDArray[np.uint8], polygon: Polygon, offsets: dict[int, tuple[int, int]], taken: Sequence[Mask]
) -> Stamp:
    height = text_height(polygon)
    margin = SPILL * height + max(MIN_RING, RING * height)
    outer = corners_of(grow(polygon, margin))
    left, top = np.floor(outer.min(0)).astype(int)
    right, bottom = np.ceil(outer.max(0)).astype(int)
    size = (int(bottom - top), int(right - left))
    near = rasterise(shift(grow(polygon, SPILL * height), -left, -top), size)
    around = rasterise(shift(grow(polygon, margin), -left, -top), size) & ~near
    corners = {frame: (int(top) + dy, int(left) + dx) for frame, (dx, dy) in offsets.items()}
    sampled = sorted(offsets)[:: -(-len(offsets) // NUM_SAMPLES)]
    samples = [_sample(frames[frame], corners[frame], taken[frame], near, around) for frame in sampled]
    inside = rasterise(shift(polygon, -left, -top), size)
    return Stamp(_agreed(samples, inside), height, corners)


@dataclass(frozen=True, slots=True)
class _Sample:
    """One frame's evidence (h, w): its colours, where the canvas is, what differs from the ground a bit and much."""

    pixels: NDArray[np.uint8]
    on_canvas: Mask
    faint: Mask
    strong: Mask


def _sample(
    frame: NDArray[np.uint8], corner: tuple[int, int], taken: Mask, near: Mask, around: Mask
) -> _Sample:
    pixels = premultiply(cut_out(frame, corner, near.shape))
    on_canvas = cut_out(np.ones(frame.shape[:2], bool), corner, near.shape)
    around = around & on_canvas & ~cut_out(taken, corner, near.shape)
    if around.sum() < near.sum() / 20:
        return _Sample(pixels, on_canvas, near & on_canvas, near & on_canvas)
    distance = np.abs(pixels.astype(np.int16) - _ground(pixels, ~around)).max(2)
    roughness = np.abs(pixels.astype(np.int16) - cv2.medianBlur(pixels, 5)).max(2)
    low = float(np.clip(NOISE_FACTOR * np.percentile(roughness[around], 80), *FAINT))
    inside = near & on_canvas
    return _Sample(pixels, on_canvas, inside & (distance > low), inside & (distance > low + STRONG))


def _ground(pixels: NDArray[np.uint8], unknown: Mask) -> NDArray[np.int16]:
    """Return what the picture (h, w, 4) would be if the unknown pixels continued the known ones."""
    holes = unknown.astype(np.uint8)
    colour = cv2.inpaint(np.ascontiguousarray(pixels[..., :3]), holes, TELEA_RADIUS, cv2.INPAINT_TELEA)
    alpha = np.ascontiguousarray(pixels[..., 3])
    if np.ptp(alpha[~unknown]) == 0:
        alpha = np.full_like(alpha, alpha[~unknown][0])
    else:
        alpha = cv2.inpaint(alpha, holes, TELEA_RADIUS, cv2.INPAINT_TELEA)
    return np.concatenate([colour, alpha[..., None]], axis=2).astype(np.int16)


def _agreed(samples: Sequence[_Sample], inside: Mask) -> Mask:
    """Return the pixels (h, w) that the samples hold to be ink: faint ink counts where it touches strong ink."""
    seen = np.maximum(sum(sample.on_canvas.astype(np.int32) for sample in samples), 1)
    faint = sum(sample.faint.astype(np.int32) for sample in samples) >= SEEN * seen
    strong = sum(sample.strong.astype(np.int32) for sample in samples) >= SEEN * seen
    steady = _steady(samples, seen)
    if (strong & steady & inside).sum() >= MIN_STEADY_INK * (strong & inside).sum():
        strong &= steady
        faint &= steady | cv2.dilate(strong.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    _, labels = cv2.connectedComponents((faint | strong).astype(np.uint8), connectivity=8)
    touched = np.unique(labels[strong & inside])
    return np.asarray(np.isin(labels, touched[touched > 0]), np.bool_)


def _steady(samples: Sequence[_Sample], seen: NDArray[np.int32]) -> Mask:
    """Return the pixels (h, w) that keep their colour in most samples."""
    stack = np.stack([sample.pixels for sample in samples])  # S, h, w, 4
    middle = np.median(stack, axis=0)
    same = np.stack(
        [(np.abs(sample.pixels - middle).max(2) <= STEADY_LEVELS) & sample.on_canvas for sample in samples]
    )
    return np.asarray(same.sum(0) >= STEADY * seen, np.bool_)


def cut_out(picture: NDArray[T], corner: tuple[int, int], size: tuple[int, ...]) -> NDArray[T]:
    """Return a piece of given size (h, w) of a picture (H, W, ...), zero where it reaches beyond."""
    piece = np.zeros((*size[:2], *picture.shape[2:]), picture.dtype)
    (top, left), (height, width) = corner, size[:2]
    rows = slice(max(0, top), max(0, top, min(picture.shape[0], top + height)))
    columns = slice(max(0, left), max(0, left, min(picture.shape[1], left + width)))
    piece[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = picture[
        rows, columns
    ]
    return piece

"""Shifts: the figure's masks over time -> how far it stands from where it stood in a reference frame.

Two masks are laid over each other at every offset; the offset of the best overlap (Dice coefficient) is the
shift. What an offset pushes over the edge of the canvas is forgiven only if the other mask reaches that
edge: so a figure that is cut off is no riddle, and half a figure is no match for a whole one. Fourier
transforms score all offsets at once.

Shapes: D frames, h w plate; P Q the padded plate (2h, 2w). Offsets are plate pixels, x to the right, y down.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_INSIDE = 0.5  # share of each mask that must stay on the canvas for an offset to count
CHUNK = 32  # frames transformed at a time

Masks = NDArray[np.bool_]
Grid = NDArray[np.float64]


class Shifts(NamedTuple):
    """Offsets (D, 2) as x, y in plate pixels, and how well they fit; all are 0 where nothing is shown.

    overlap, overlap_unmoved: 0 to 1 (D,), with the offset and without it.
    growth: area (D,) against that of the reference, as far as both stay on the canvas.
    """

    offsets: NDArray[np.float64]
    overlap: NDArray[np.float64]
    overlap_unmoved: NDArray[np.float64]
    growth: NDArray[np.float64]


def find_shifts(masks: Masks) -> Shifts:
    """Register every mask (D, h, w) with the largest one."""
    areas = masks.sum(axis=(1, 2))
    reference = masks[int(areas.argmax())]
    chunks = [_register(masks[start : start + CHUNK], reference) for start in range(0, len(masks), CHUNK)]
    return Shifts(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def _register(masks: Masks, reference: Masks) -> Shifts:
    overlaps, growths = _compare_at_every_offset(
        masks, reference
    )  # D P Q, offset 0 in the corner, negative ones wrapped
    num_masks, rows, columns = overlaps.shape
    best = overlaps.reshape(num_masks, -1).argmax(axis=1)
    row, column = best // columns, best % columns
    here = np.arange(num_masks), row, column
    above, below = overlaps[here[0], row - 1, column], overlaps[here[0], (row + 1) % rows, column]
    before, after = overlaps[here[0], row, column - 1], overlaps[here[0], row, (column + 1) % columns]
    x = _signed(column + _peak(before, overlaps[here], after), columns)
    y = _signed(row + _peak(above, overlaps[here], below), rows)
    return Shifts(np.stack([x, y], axis=1), overlaps[here], overlaps[:, 0, 0], growths[here])


def _compare_at_every_offset(masks: Masks, reference: Masks) -> tuple[Grid, Grid]:
    """Overlap and growth against the shifted reference, (D, P, Q) each, 0 where too little stays inside."""
    shape = (2 * reference.shape[0], 2 * reference.shape[1])
    canvas = np.fft.rfft2(np.ones(reference.shape), shape)
    still = np.fft.rfft2(reference.astype(np.float64), shape)
    moving = np.fft.rfft2(masks.astype(np.float64), shape)  # D P Q/2+1
    shared = np.fft.irfft2(moving * np.conj(still), shape)
    mask_inside = np.fft.irfft2(moving * np.conj(canvas), shape)  # what the shifted canvas covers of the mask
    reference_inside = np.fft.irfft2(canvas * np.conj(still), shape)  # what stays of the shifted reference
    areas = masks.sum(axis=(1, 2))[:, None, None]
    enough_mask = (mask_inside >= MIN_INSIDE * areas - 0.5) & (areas > 0)
    is_valid = enough_mask & (reference_inside >= MIN_INSIDE * reference.sum() - 0.5)
    mask_counted = _counted(masks, mask_inside, *_forgiven(reference[None]))
    turned = reference[None, ::-1, ::-1]  # a reference shifted right loses what its mirror image loses on the left
    reference_counted = _counted(turned, reference_inside[None], *_forgiven(masks[:, ::-1, ::-1]))
    overlap = 2 * shared / np.maximum(mask_counted + reference_counted, 1)
    growth = mask_inside / np.maximum(reference_inside, 1)
    return np.where(is_valid, overlap, 0).round(9).clip(0, 1), np.where(is_valid, growth, 0).round(9)


def _counted(masks: Masks, inside: Grid, forgives_y: Masks, forgives_x: Masks) -> Grid:
    """Area (N, P, Q) of the masks that an offset is charged for: what is inside, or lost without excuse."""
    by_rows, by_columns = (
        _inside_by_offset(masks.sum(axis=2)),
        _inside_by_offset(masks.sum(axis=1)),
    )  # N P, N Q
    y, x = forgives_y[:, :, None], forgives_x[:, None, :]
    one_axis = np.where(y, by_rows[:, :, None], by_columns[:, None, :])
    area = masks.sum(axis=(1, 2))[:, None, None]
    return np.where(y & x, inside, np.where(y | x, one_axis, area))


def _inside_by_offset(profile: NDArray[np.int_]) -> NDArray[np.int_]:
    """Of each profile (N, n): what the canvas, shifted by 0..n, -n+1..-1, still covers (N, 2n)."""
    sums = np.cumsum(np.pad(profile, ((0, 0), (1, 0))), axis=1)  # N n+1
    return np.concatenate([sums[:, -1:] - sums, sums[:, 1:-1]], axis=1)


def _forgiven(others: Masks) -> tuple[Masks, Masks]:
    """For each offset in y (N, P) and in x (N, Q): do the masks (N, h, w) reach the edge that loses?"""
    return _reaches(np.any(others, axis=2)), _reaches(np.any(others, axis=1))


def _reaches(seen: Masks) -> Masks:
    length = seen.shape[1]
    positive = np.repeat(seen[:, :1], length, axis=1)
    negative = np.repeat(seen[:, -1:], length - 1, axis=1)
    return np.concatenate([np.ones_like(seen[:, :1]), positive, negative], axis=1)


def _peak(before: NDArray[np.float64], here: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fraction of a pixel by which the top of a parabola through three scores lies beside the middle one."""
    bend = 2 * here - before - after
    return np.where(bend > 1e-9, (after - before) / (2 * np.maximum(bend, 1e-9)), 0).clip(-0.5, 0.5)


def _signed(offset: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    return np.where(offset >= period / 2, offset - period, offset)

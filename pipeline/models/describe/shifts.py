"""Shifts: the figure's masks over time -> how far it stands from where it stood in a reference frame.

Two masks are laid over each other at every offset; the offset of the best overlap (Dice coefficient) is the
shift. What an offset pushes over the edge of the canvas is forgiven only if the other mask reaches that
edge: so a figure that is cut off is no riddle, and half a figure is no match for a whole one. Fourier
transforms score all offsets at once; what stays on the canvas is a rectangle of a mask, counted by running sums.

Shapes: D frames, h w plate; P Q the padded plate (2h, 2w). Offsets are plate pixels, x to the right, y down.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_INSIDE = 0.5  # share of each mask that must stay on the canvas for an offset to count
CHUNK = 32  # frames transformed at a time

Masks = NDArray[np.bool_]
Grid = NDArray[np.float64]
Counts = NDArray[np.signedinteger[Any]]


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
    turned = reference[None, ::-1, ::-1]  # a reference shifted right loses what its mirror image loses on the left
    inside = _inside(masks), _inside(turned)  # what the shifted canvas covers of a mask, what stays of the reference
    overlaps = _overlap_at_every_offset(masks, reference, *inside)  # offset 0 in the corner, negative ones wrapped
    num_masks, rows, columns = overlaps.shape
    best = overlaps.reshape(num_masks, -1).argmax(axis=1)
    row, column = best // columns, best % columns
    here = np.arange(num_masks), row, column
    above, below = overlaps[here[0], row - 1, column], overlaps[here[0], (row + 1) % rows, column]
    before, after = overlaps[here[0], row, column - 1], overlaps[here[0], row, (column + 1) % columns]
    x = _signed(column + _peak(before, overlaps[here], after), columns)
    y = _signed(row + _peak(above, overlaps[here], below), rows)
    growth = inside[0][here] / np.maximum(inside[1][0, row, column], 1)
    growth = np.where(_is_valid(inside[0][here], inside[1][0, row, column], masks, reference), growth, 0).round(9)
    return Shifts(np.stack([x, y], axis=1), overlaps[here], overlaps[:, 0, 0], growth)


def _overlap_at_every_offset(masks: Masks, reference: Masks, mask_inside: Counts, reference_inside: Counts) -> Grid:
    """Overlap with the shifted reference (D, P, Q), 0 where too little stays inside."""
    shape = (2 * reference.shape[0], 2 * reference.shape[1])
    still = np.fft.rfft2(reference.astype(np.float64), shape)
    moving = np.fft.rfft2(masks.astype(np.float64), shape)  # D P Q/2+1
    shared = np.fft.irfft2(moving * np.conj(still), shape)
    turned = reference[None, ::-1, ::-1]
    mask_counted = _counted(masks, mask_inside, *_forgiven(reference[None]))
    reference_counted = _counted(turned, reference_inside, *_forgiven(masks[:, ::-1, ::-1]))
    overlap = 2 * shared / np.maximum(mask_counted + reference_counted, 1)
    is_valid = _is_valid(mask_inside, reference_inside, masks, reference)
    return np.where(is_valid, overlap, 0).round(9).clip(0, 1)


def _is_valid(mask_inside: Counts, reference_inside: Counts, masks: Masks, reference: Masks) -> NDArray[np.bool_]:
    """Does enough stay of each mask (D, ...) and of the reference?"""
    areas = masks.sum(axis=(1, 2)).reshape(-1, *(1,) * (mask_inside.ndim - 1))
    of_mask = (mask_inside >= MIN_INSIDE * areas - 0.5) & (areas > 0)
    return np.asarray(of_mask & (reference_inside >= MIN_INSIDE * reference.sum() - 0.5), np.bool_)


def _counted(masks: Masks, inside: Counts, forgives_y: Masks, forgives_x: Masks) -> Counts:
    """Area (N, P, Q) of the masks that an offset is charged for: what is inside, or lost without excuse."""
    by_rows, by_columns = (
        _inside_by_offset(masks.sum(axis=2)),
        _inside_by_offset(masks.sum(axis=1)),
    )  # N P, N Q
    y, x = forgives_y[:, :, None], forgives_x[:, None, :]
    one_axis = np.where(y, by_rows[:, :, None], by_columns[:, None, :])
    area = masks.sum(axis=(1, 2))[:, None, None]
    return np.where(y & x, inside, np.where(y | x, one_axis, area))


def _inside(masks: Masks) -> Counts:
    """Of each mask (N, h, w): how many pixels the canvas, shifted by every offset, still covers (N, P, Q)."""
    by_columns = _inside_by_offset(masks.astype(np.int32))  # N h Q
    return _inside_by_offset(by_columns.swapaxes(1, 2)).swapaxes(1, 2)


def _inside_by_offset(profile: Counts) -> Counts:
    """Of each profile (..., n): what the canvas, shifted by 0..n, -n+1..-1, still covers (..., 2n)."""
    length = profile.shape[-1]
    sums = np.zeros((*profile.shape[:-1], length + 1), profile.dtype)
    np.cumsum(profile, axis=-1, out=sums[..., 1:])
    return np.concatenate([sums[..., -1:] - sums, sums[..., 1:-1]], axis=-1)


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

"""Travel: how far the figure stands from its reference over time -> its path, if it moves as a whole.

Shapes: D distinct frames, h w plate; offsets (D, 2) are x, y in plate pixels, x to the right, y down.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Amount, Path, Travel
from pipeline.models.describe.rhythm import count_swings, one_way_direction
from pipeline.models.describe.shifts import Shifts

MIN_TRAVEL = 0.03  # of the side of the canvas
MIN_TRAVEL_PIXELS = 0.75  # of the plate
# What proves a shift: overlap of the figure and its shifted reference (in four frames of five), and the share
# of their difference that shifting removed. Where the shapes hardly match, shifting must have explained more.
PROOFS = ((0.93, 0.4), (0.84, 0.5), (0.78, 0.72))
MIN_RESTING_OVERLAP = 0.88  # of the figure and its unshifted reference: it stays
MIN_SECOND_AXIS = 0.4  # of the way along the first
MIN_ROUNDNESS = 0.45  # area inside the path, against an ellipse of its extent
MIN_STRAIGHTNESS = 0.8  # correlation of x and y on a diagonal

AMOUNT_LIMITS = (
    (Amount.SLIGHT, 0.07),
    (Amount.TENTH, 0.15),
    (Amount.FIFTH, 0.225),
    (Amount.QUARTER, 0.29),
    (Amount.THIRD, 0.415),
    (Amount.HALF, 0.6),
)


class Way(NamedTuple):
    """The path in words; signal (D,): coordinate along its main axis, or overlap with the reference."""

    travel: Travel
    signal: NDArray[np.float64]


def find_travel(shifts: Shifts, height: int, width: int) -> Way | None:
    """Return how the figure travels over a plate of h x w pixels, None if that cannot be told."""
    offsets = shifts.offsets
    extent = np.ptp(offsets, axis=0)  # 2
    is_far = extent >= np.maximum(MIN_TRAVEL * np.array([width, height]), MIN_TRAVEL_PIXELS)
    if not is_far.any():
        stays = bool(shifts.overlap_unmoved.min() >= MIN_RESTING_OVERLAP)
        return Way(Travel(Path.NONE if stays else Path.RESHAPE), shifts.overlap)
    if not _is_explained(shifts):
        is_reshaped = bool(shifts.overlap.min() < MIN_RESTING_OVERLAP)
        return Way(Travel(Path.RESHAPE), shifts.overlap) if is_reshaped else None
    axis = int(np.argmax(extent * is_far))
    path = _two_axis_path(offsets, extent, axis) or _one_axis_path(offsets[:, axis], axis)
    side = height if axis == 1 and path in (Path.UP_DOWN, Path.UPWARD, Path.DOWNWARD) else width
    reach = max(extent[0], extent[1]) if path in (Path.CIRCLE, Path.DIAGONAL) else extent[axis]
    return Way(Travel(path, amount_of(float(reach) / side)), offsets[:, axis])


def amount_of(fraction: float) -> Amount:
    """Return the words for a fraction."""
    return next((amount for amount, limit in AMOUNT_LIMITS if fraction < limit), Amount.MOST)


def _is_explained(shifts: Shifts) -> bool:
    """Say if shifting the reference to and fro makes it look like the frames, where it is shifted most."""
    way = np.hypot(shifts.offsets[:, 0], shifts.offsets[:, 1])
    is_far = way >= way.max() / 2
    moved, unmoved = shifts.overlap[is_far], shifts.overlap_unmoved[is_far]
    explained = float(np.median((moved - unmoved) / np.maximum(1 - unmoved, 1e-9)))
    overlap = float(np.quantile(moved, 0.2))
    return any(overlap >= min_overlap and explained >= min_explained for min_overlap, min_explained in PROOFS)


def _two_axis_path(offsets: NDArray[np.float64], extent: NDArray[np.float64], axis: int) -> Path | None:
    if len(offsets) < 3 or one_way_direction(offsets[:, axis]) or extent[1 - axis] < MIN_SECOND_AXIS * extent[axis]:
        return None
    x, y = offsets.T
    twice_area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    rounds = count_swings(offsets[:, axis]) or 1
    ellipse = math.pi / 4 * float(extent[0] * extent[1])
    if abs(twice_area) / 2 / rounds >= MIN_ROUNDNESS * ellipse:
        return Path.CIRCLE
    return Path.DIAGONAL if abs(float(np.corrcoef(x, y)[0, 1])) >= MIN_STRAIGHTNESS else None


def _one_axis_path(signal: NDArray[np.float64], axis: int) -> Path:
    there_and_back, backward, forward = _PATHS[axis]
    return {0: there_and_back, -1: backward, 1: forward}[one_way_direction(signal)]


_PATHS = (
    (Path.LEFT_RIGHT, Path.TO_LEFT, Path.TO_RIGHT),
    (Path.UP_DOWN, Path.UPWARD, Path.DOWNWARD),
)

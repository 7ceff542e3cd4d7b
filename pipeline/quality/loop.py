"""Loop: the frames of one round -> how well it closes, whether it goes back the way it came, whether it repeats itself.

Shapes: D distinct frames, T stored ones; `grids` are their thumbnails (D, h, w, 4).
Two frames are *alike* if they are equal, or differ by at most a fifth of the median change between neighbours and in no
cell by more than 24 of 255: encoders that lose a little write the same picture twice in slightly different pixels, but
a croissant that gets smaller every round is no repetition.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.thumbnails import Grids, changes, largest_changes, neighbour_changes

ALIKE, ALIKE_CELLS = 0.2, 24  # of the median change between neighbours; of 255 in every cell
MIN_PING_PONG = 4  # frames of a round: A B C B; with fewer, every round is its own mirror image


@dataclass(frozen=True, slots=True)
class Loop:
    """How a round goes; QualityAnswer says what each field means."""

    seam_error: float
    is_ping_pong: bool
    period_frames: int
    num_periods: int


def describe_loop(grids: Grids, equal: NDArray[np.int64], run_lengths: Sequence[int]) -> Loop:
    """Describe one round; `equal` is what thumbnails.first_equal says."""
    steps = neighbour_changes(grids)
    alike = _Alike(grids, equal, tolerance=ALIKE * float(np.median(steps)) if len(steps) else 0.0)
    period = _period(alike, np.repeat(np.arange(len(grids)), run_lengths))
    return Loop(
        seam_error=_seam_error(grids, steps),
        is_ping_pong=_is_ping_pong(alike, period),
        period_frames=len(period),
        num_periods=sum(run_lengths) // len(period),
    )


def _seam_error(grids: Grids, steps: NDArray[np.float64]) -> float:
    """Return max(0, 1 - typical / seam): seam is the change from the last frame to the first, typical the mean change
    between neighbours.

    0 if the seam is no larger than a typical change, 0.5 if it is twice as large, and at most 1 - 1 / (D - 1), for
    the seam is never larger than all changes together. 0 for a still picture.
    """
    if not len(steps):
        return 0.0
    (seam,) = changes(grids, [len(grids) - 1], [0])
    typical = float(steps.mean())
    return 1 - typical / float(seam) if seam > typical else 0.0


class _Alike:
    """Tells which frames are alike."""

    def __init__(self, grids: Grids, equal: NDArray[np.int64], *, tolerance: float) -> None:
        self._grids = grids
        self._equal = equal
        self._tolerance = tolerance

    def each(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each pair of frame numbers whether they are alike."""
        found: NDArray[np.bool_] = self._equal[left] == self._equal[right]
        if self._tolerance > 0 and not found.all():
            unequal = ~found
            pairs = self._grids, left[unequal], right[unequal]
            found[unequal] = (changes(*pairs) <= self._tolerance) & (largest_changes(*pairs) <= ALIKE_CELLS)
        return found

    def all(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> bool:
        """True if every pair is alike. A few pairs are looked at first: most rounds do not repeat, and show it soon."""
        few = slice(None, 8)
        return bool(self.each(left[few], right[few]).all() and self.each(left, right).all())


def _period(alike: _Alike, stored: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct frame behind each stored frame (T of them) of the first period.

    The period is the smallest divisor p of T so that stored frames t and t + p are alike for every t.
    """
    num_frames = len(stored)
    for period in range(1, num_frames // 2 + 1):
        if num_frames % period == 0 and alike.all(stored[:-period], stored[period:]):
            return stored[:period]
    return stored


def _is_ping_pong(alike: _Alike, period: NDArray[np.int64]) -> bool:
    """True if the period, held frames taken once, is its own mirror image when it goes round: 0 1 2 3 2 1.

    It is so whether or not the frames at the ends are shown twice, and wherever the file begins.
    """
    held = np.concatenate([[False], alike.each(period[1:], period[:-1])])
    frames = period[~held]
    if len(frames) > 1 and alike.all(frames[-1:], frames[:1]):
        frames = frames[:-1]
    count = len(frames)
    if count < MIN_PING_PONG:
        return False
    numbers = np.arange(count)
    mirrors = np.flatnonzero(alike.each(np.repeat(frames[:1], count), frames))  # where the first frame may be mirrored
    return any(alike.all(frames, frames[(mirror - numbers) % count]) for mirror in mirrors.tolist())

"""Rhythm: a number per distinct frame, on the time axis -> how often it swings and whether its end meets its start.

Shapes: D distinct frames, times in milliseconds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import MAX_RATE, Rate

DEAD_BANDS = (0.1, 0.2, 0.3)  # of the range, to either side of the middle: what stays inside is no swing
MIN_RETURN = 0.7  # of the range between the last and the first value: it went one way
MIN_CLOSING_JUMP = 2.5  # last to first value, against the largest step inside
MIN_FREQUENCY = 2 / 3  # per second; slower swings are told by their period


def goes_one_way(signal: NDArray[np.float64]) -> bool:
    """Say if the signal (D,) ends far from where it started and can only jump back."""
    extent = float(np.ptp(signal))
    if len(signal) < 3 or extent == 0:
        return False
    closing = abs(float(signal[-1] - signal[0]))
    return closing >= MIN_RETURN * extent and closing > MIN_CLOSING_JUMP * float(np.abs(np.diff(signal)).max())


def count_swings(signal: NDArray[np.float64]) -> int | None:
    """Count the full swings of a signal (D,) that is played in a loop, None if large and small ones are mixed."""
    extent = float(np.ptp(signal))
    beside_middle = signal - (float(signal.max()) + float(signal.min())) / 2
    counts = set()
    for band in DEAD_BANDS:
        sides = np.sign(beside_middle[np.abs(beside_middle) > band * extent])
        counts.add(int(((sides > 0) & (np.roll(sides, 1) < 0)).sum()))
    return counts.pop() if len(counts) == 1 else None


def find_rate(signal: NDArray[np.float64], durations_ms: Sequence[int]) -> Rate | None:
    """Return how often the signal (D,) swings, None if it goes one way, not at all or unevenly."""
    num_swings, total_ms = count_swings(signal), sum(durations_ms)
    if not num_swings or total_ms == 0 or goes_one_way(signal):
        return None
    frequency = 1000 * num_swings / total_ms
    if frequency >= MIN_FREQUENCY:
        return Rate(min(MAX_RATE, max(1, _round_half_up(frequency))), 1)
    return Rate(1, min(MAX_RATE, max(2, _round_half_up(1 / frequency))))


def _round_half_up(value: float) -> int:
    return int(value + 0.5)

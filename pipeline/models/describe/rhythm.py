"""Rhythm: a number per distinct frame -> how often it swings and whether it goes one way.

Shapes: D distinct frames, times in milliseconds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import MAX_RATE, Rate

DEAD_BANDS = (0.1, 0.2, 0.3)  # of the range, to either side of the middle: what stays inside is no swing
MIN_JUMP = 0.6  # of the range: the one step with which a one-way movement starts again
MAX_OTHER_STEP = 0.5  # of that step: any other
MIN_ONE_WAY = 0.75  # share of the rest of the way that leads against that step
MIN_ONE_WAY_FRAMES = 4  # fewer cannot tell to and fro from round and round
MIN_FREQUENCY = 2 / 3  # per second; slower swings are told by their period


def one_way_direction(signal: NDArray[np.float64]) -> int:
    """Return 1 or -1 if the looped signal (D,) rises or falls all the way and then jumps back, else 0."""
    steps = np.roll(signal, -1) - signal
    sizes = np.abs(steps)
    largest = _jump_index(signal)
    others = np.delete(sizes, largest)
    if len(signal) < MIN_ONE_WAY_FRAMES or sizes[largest] < MIN_JUMP * float(np.ptp(signal)) or not others.any():
        return 0
    against = sizes[np.sign(steps) == -np.sign(steps[largest])].sum()
    if others.max() > MAX_OTHER_STEP * sizes[largest] or against < MIN_ONE_WAY * others.sum():
        return 0
    return -int(np.sign(steps[largest]))


def jumps_at_the_end(signal: NDArray[np.float64]) -> bool:
    """Say if a one-way signal (D,) makes its jump between the last frame and the first."""
    return one_way_direction(signal) != 0 and _jump_index(signal) == len(signal) - 1


def _jump_index(signal: NDArray[np.float64]) -> int:
    return int(np.abs(np.roll(signal, -1) - signal).argmax())


def count_swings(signal: NDArray[np.float64]) -> int | None:
    """Count the full swings of a looped signal (D,), None if large and small ones are mixed."""
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
    if not num_swings or total_ms == 0 or one_way_direction(signal):
        return None
    frequency = 1000 * num_swings / total_ms
    if frequency >= MIN_FREQUENCY:
        return Rate(min(MAX_RATE, max(1, _round_half_up(frequency))), 1)
    return Rate(1, min(MAX_RATE, max(2, _round_half_up(1 / frequency))))


def _round_half_up(value: float) -> int:
    return int(value + 0.5)

"""Flash: frames and how long each is shown -> flashes per second, after WCAG 2.3.1 and ITU-R BT.1702.

A transition of a cell is a change of relative luminance by at least 0.1 since its last turn, where the darker side is
below 0.8; or to or from a saturated red that changes 320 (R - G - B) by at least 20. It counts if a quarter of the
canvas goes the same way at that moment. Two opposing transitions are a flash. The number of flashes in a second is that
which the same quarter of the canvas goes through; more than three are a risk.

The loop goes on for ever, so rounds are repeated until every second of it was looked at. RGBA is laid over white.
Limits: the canvas is taken for the quarter of the visual field that the guidelines speak of; patterns finer than a
cell of 1/32 of the canvas are averaged away; a page that is not white may flash where this one does not.
Shapes: D distinct frames, N frames played, C cells.
"""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.thumbnails import Grids

WINDOW_MS = 1000
FEWEST_LEVELS = 6  # of 255: no smaller change of any channel makes a transition
MIN_AREA = 0.25  # of the canvas
LUMINANCE_STEP, DARKER_BELOW = 0.1, 0.8
RED_STEP, RED_SHARE = 20.0, 0.8  # of 320 (R - G - B); R / (R + G + B) of a saturated red
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LEVELS = np.arange(256) / 255
LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)


def max_flashes_per_second(grids: Grids, durations_ms: Sequence[int]) -> float:
    """Return the largest number of flashes, half ones counted, that some second of the loop holds."""
    if len(grids) < 2:
        return 0.0
    cells = grids[..., :3].reshape(len(grids), -1, 3)
    num_needed = math.ceil(MIN_AREA * cells.shape[1])
    moves = (cells.max(axis=0) - cells.min(axis=0) >= FEWEST_LEVELS).any(axis=-1)
    if np.count_nonzero(moves) < num_needed:
        return 0.0
    colours = LINEAR[cells[:, moves]]  # (D, C, 3)
    played, starts_ms = _play(durations_ms)
    count = partial(_count, played=played, starts_ms=starts_ms, num_needed=num_needed)
    general = count(colours @ LUMINANCE, step=LUMINANCE_STEP, darker_below=DARKER_BELOW)
    red = count(_saturated_red(colours), step=RED_STEP, darker_below=np.inf)
    return max(general, red) / 2


def _play(durations_ms: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which frame is shown (N) and from when on (N): one round and the second after it, two rounds at least."""
    rounds = max(2, 1 + -(-WINDOW_MS // sum(durations_ms)))
    played = np.tile(np.arange(len(durations_ms)), rounds)
    ends_ms = np.cumsum(np.tile(durations_ms, rounds))
    return played, np.concatenate([[0], ends_ms[:-1]])


def _saturated_red(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 320 (R - G - B) where red is saturated, else 0: (D, C)."""
    red, others = colours[..., 0], colours[..., 1] + colours[..., 2]
    is_saturated = red >= RED_SHARE * (red + others)
    return np.where(is_saturated, 320 * np.maximum(red - others, 0), 0).astype(np.float32)


def _count(
    values: NDArray[np.float32],
    *,
    played: NDArray[np.int64],
    starts_ms: NDArray[np.int64],
    num_needed: int,
    step: float,
    darker_below: float,
) -> int:
    """Return how many counting transitions at least `num_needed` cells go through within some second; values (D, C)."""
    values = values[:, np.ptp(values, axis=0) >= step]  # no other cell has a transition
    before = np.roll(values, 1, axis=0)
    if max(_most(values > before), _most(values < before)) < num_needed:
        return 0  # at no moment do so many cells go the same way
    turns = _transitions(values, played, num_needed, step=step, darker_below=darker_below)
    sums = np.concatenate([np.zeros((1, turns.shape[1]), np.int32), np.cumsum(turns, axis=0, dtype=np.int32)])
    firsts = np.flatnonzero(turns.any(axis=1))
    ends = np.searchsorted(starts_ms, starts_ms[firsts] + WINDOW_MS)
    fewer = turns.shape[1] - num_needed  # so many cells may have fewer than what a quarter of the canvas has
    windows = (sums[end] - sums[first] for first, end in zip(firsts, ends, strict=True))
    return max((int(np.partition(each, fewer)[fewer]) for each in windows), default=0)


def _most(cells: NDArray[np.bool_]) -> int:
    """Return how many cells hold in the frame where most do: (D, C) -> int."""
    return int(np.count_nonzero(cells, axis=1).max(initial=0))


def _transitions(
    values: NDArray[np.float32], played: NDArray[np.int64], num_needed: int, *, step: float, darker_below: float
) -> NDArray[np.bool_]:
    """Follow the values (D, C) of every cell from turn to turn; return where a transition counts (N, C).

    num_needed: so many cells have to go the same way at once.
    """
    lowest, highest = values[played[0]].copy(), values[played[0]].copy()
    direction = np.zeros(values.shape[1], np.int8)
    turns = np.zeros((len(played), values.shape[1]), bool)
    for number, frame in enumerate(played):
        now = values[frame]
        np.minimum(lowest, now, out=lowest)
        np.maximum(highest, now, out=highest)
        rises = (direction <= 0) & (now - lowest >= step) & (lowest < darker_below)
        falls = (direction >= 0) & (highest - now >= step) & (now < darker_below)
        direction[rises], direction[falls] = 1, -1
        highest[rises], lowest[falls] = now[rises], now[falls]
        for way in (rises, falls):
            if np.count_nonzero(way) >= num_needed:
                turns[number] |= way
    return turns

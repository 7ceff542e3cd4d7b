"""Frames: a clip -> a few of its distinct frames, in order, spread evenly over time, with their seconds."""

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Clip

Times = NDArray[np.int64]
Indexes = NDArray[np.intp]


def spread_frames(clip: Clip, num_frames: int) -> list[tuple[int, float]]:
    """Choose at most `num_frames` distinct frames; return for each its index and when it appears, in seconds.

    All of them where there are no more. Otherwise frames are taken at even instants from the first on, at as many
    instants as give no more than `num_frames` different ones: so a clip that moves for half a second and then holds
    one picture for five is not seen as a still.
    """
    durations_ms = np.asarray(clip.durations_ms)
    ends_ms = np.cumsum(durations_ms)
    chosen = np.arange(len(ends_ms))
    if len(ends_ms) > num_frames:
        chosen = _most_instants(ends_ms, num_frames)
    return [(int(index), float(ends_ms[index] - durations_ms[index]) / 1000) for index in chosen]


def _most_instants(ends_ms: Times, num_frames: int) -> Indexes:
    """Halve between too few and too many instants: `num_frames` of them never show more frames, every ms shows all."""
    fits, too_many = num_frames, int(ends_ms[-1])
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if len(_shown_at(ends_ms, middle)) <= num_frames:
            fits = middle
        else:
            too_many = middle
    return _shown_at(ends_ms, fits)


def _shown_at(ends_ms: Times, num_instants: int) -> Indexes:
    instants = np.arange(num_instants) * (ends_ms[-1] / num_instants)
    return np.unique(np.searchsorted(ends_ms, instants, side="right"))

"""Time axis: how long each distinct frame is shown -> which of them F frames at some fps are.

Shapes: T stored frames, D distinct frames, F frames wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.clip import run_durations_ms

MS_PER_SECOND = 1000
MAX_SLOTS_PER_FRAME = 16


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """One round of an animation.

    durations: for each of the D distinct frames, milliseconds, or stored frames if delays are ignored (fps None).
    is_endless: True if the file says that it loops forever.
    """

    durations: tuple[int, ...]
    is_endless: bool = False


def time_axis(
    run_lengths: Sequence[int], delays_ms: Sequence[int], *, loop_count: int | None, fps: float | None
) -> TimeAxis:
    """Return the time axis of a sample: D run lengths, T raw delays, loop_count 0 = forever."""
    durations = tuple(run_lengths) if fps is None else run_durations_ms(run_lengths, delays_ms)
    return TimeAxis(durations, loop_count == 0)


def frames_shown(axis: TimeAxis, *, num_frames: int, fps: float | None, start: float = 0.0) -> NDArray[np.int64]:
    """Return the indices (F,) of the distinct frames shown at F moments, 1 / fps seconds apart.

    A loop starts at `start`, in [0, 1), of its round; other clips start so that they end before their last frame is
    over, if they are long enough. All go round where they end. With fps None, the first F stored frames (the paper).
    """
    ends = np.cumsum(axis.durations)
    total = int(ends[-1])
    if fps is None:
        moments = np.arange(num_frames, dtype=np.float64)
    else:
        spare = total if axis.is_endless else max(0.0, total - num_frames * MS_PER_SECOND / fps)
        moments = start * spare + np.arange(num_frames) * MS_PER_SECOND / fps
    shown = np.searchsorted(ends, moments % total, side="right")
    return np.minimum(shown, len(ends) - 1)


def thinned(axis: TimeAxis, *, max_frames: int) -> tuple[list[int], TimeAxis]:
    """Keep at most so many distinct frames, evenly in time; a dropped frame's time goes to the kept one before it.

    Returns the kept indices and their time axis; the first frame is always kept and the round is as long as before.
    """
    if len(axis.durations) <= max_frames:
        return list(range(len(axis.durations))), axis
    enough, too_many = max_frames, MAX_SLOTS_PER_FRAME * max_frames  # slots: long holds fill many with one frame
    while enough + 1 < too_many:
        slots = (enough + too_many) // 2
        enough, too_many = (slots, too_many) if len(_slotted(axis, slots)) <= max_frames else (enough, slots)
    kept = _slotted(axis, enough)
    durations = np.add.reduceat(axis.durations, kept)
    return kept, TimeAxis(tuple(int(each) for each in durations), axis.is_endless)


def first_stored(axis: TimeAxis, *, num_frames: int) -> tuple[list[int], TimeAxis]:
    """Keep the distinct frames among the first stored ones; for an axis that counts stored frames."""
    durations = []
    left = num_frames
    for duration in axis.durations:
        if left <= 0:
            break
        durations.append(min(duration, left))
        left -= duration
    return list(range(len(durations))), TimeAxis(tuple(durations), axis.is_endless)


def _slotted(axis: TimeAxis, num_slots: int) -> list[int]:
    """Return the distinct frames shown at the beginnings of equal slots of time."""
    ends = np.cumsum(axis.durations)
    shown = np.searchsorted(ends, np.arange(num_slots) * ends[-1] / num_slots, side="right")
    kept: list[int] = np.unique(np.minimum(shown, len(ends) - 1)).tolist()
    return kept

"""A decoded sample: frames and how long each is shown.

Shapes: T stored frames, D distinct frames (equal neighbours merged), H height, W width, 4 = straight RGBA.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_EFFECTIVE_DELAY_MS = 20
DEFAULT_DELAY_MS = 100


def effective_delay_ms(delay_ms: int) -> int:
    """Return how long a browser shows a frame: 10 ms or less plays as 100 ms."""
    return delay_ms if delay_ms >= MIN_EFFECTIVE_DELAY_MS else DEFAULT_DELAY_MS


@dataclass(frozen=True, slots=True)
class Clip:
    """Canonical distinct frames of one sample, with the time axis of the stored ones.

    frames: uint8 (D, H, W, 4), straight alpha, colour zeroed where alpha is 0, no two equal neighbours.
    run_lengths: for each distinct frame, how many stored frames it stands for; they sum to T.
    delays_ms: T raw delays as stored in the file, in milliseconds.
    """

    frames: NDArray[np.uint8]
    run_lengths: tuple[int, ...]
    delays_ms: tuple[int, ...]

    def __post_init__(self) -> None:
        assert self.frames.shape[3:] == (4,), self.frames.shape
        assert len(self.run_lengths) == len(self.frames), "one run length per distinct frame"
        assert sum(self.run_lengths) == len(self.delays_ms), "run lengths must add up to the stored frames"

    @property
    def num_frames(self) -> int:
        """Stored frames, T."""
        return len(self.delays_ms)

    @property
    def num_distinct_frames(self) -> int:
        """Distinct frames, D."""
        return len(self.frames)

    @property
    def is_animated(self) -> bool:
        """True if anything changes over time."""
        return len(self.frames) > 1

    @property
    def durations_ms(self) -> tuple[int, ...]:
        """How long each distinct frame is shown, D browser-effective milliseconds."""
        return run_durations_ms(self.run_lengths, self.delays_ms)


def run_durations_ms(run_lengths: Sequence[int], delays_ms: Sequence[int]) -> tuple[int, ...]:
    """Add up the effective delays of the stored frames (T) that each distinct frame (D) stands for."""
    durations = []
    start = 0
    for length in run_lengths:
        durations.append(sum(map(effective_delay_ms, delays_ms[start : start + length])))
        start += length
    return tuple(durations)

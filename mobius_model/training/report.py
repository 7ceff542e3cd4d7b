"""Report: what a training run says while it goes on -> whoever listens; one callable, drawn or logged elsewhere."""

import resource
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch

REPORTS_REMEMBERED = 10  # the first ones are slow: workers start, kernels are chosen


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins, or goes on from `step`."""

    step: int
    num_steps: int
    stage: str
    num_train: int
    num_validation: int
    content: str
    num_trained_weights: int
    num_weights: int
    num_left_out: int  # temporal weight tensors of `init` that have no place in this network


@dataclass(frozen=True, slots=True)
class Stepped:
    """Steps were done since the last report; `loss` is their mean."""

    step: int
    num_steps: int
    loss: float
    learning_rate: float
    samples_per_second: float
    seconds_left: float
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True)
class Validated:
    """Held-out loss of the average weights: the mean, and by timestep quantile; how large t is beside h."""

    step: int
    loss: float
    by_quantile: list[float]
    t_over_h: float | None  # at the fusion; None where there is one state


@dataclass(frozen=True, slots=True)
class Wrote:
    """A checkpoint, a sample or the model is in place."""

    step: int
    path: str


Report = Started | Stepped | Validated | Wrote
Progress = Callable[[Report], None]


def say_nothing(report: Report) -> None:
    """Listen to nothing."""


class Clock:
    """The rate of the last reports; what is not training is left out of it."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=REPORTS_REMEMBERED)
        self._since = time.perf_counter()

    def count(self, num_samples: int) -> None:
        """Add samples that were trained on since the last call."""
        now = time.perf_counter()
        self._recent.append((num_samples, now - self._since))
        self._since = now

    def skip(self) -> None:
        """Forget the time since the last call."""
        self._since = time.perf_counter()

    @property
    def samples_per_second(self) -> float:
        """Rate over the last reports."""
        seconds = sum(each for _, each in self._recent)
        return sum(num for num, _ in self._recent) / seconds if seconds else 0.0


def peak_memory_bytes(device: torch.device) -> int:
    """Return the most memory held so far: on the GPU what was allocated, else what this process had resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

"""Report: what a training run says while it goes on -> whoever listens; one callable, drawn or logged elsewhere."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


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
    """Held-out loss of the average weights: the mean, and by timestep quantile."""

    step: int
    loss: float
    by_quantile: list[float]


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
    """Rate and time left; what is not training is left out of both."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._num_samples = 0
        self._since = time.perf_counter()

    def count(self, num_samples: int) -> None:
        """Add samples that were trained on since the last call."""
        now = time.perf_counter()
        self._seconds += now - self._since
        self._num_samples += num_samples
        self._since = now

    def skip(self) -> None:
        """Forget the time since the last call."""
        self._since = time.perf_counter()

    @property
    def samples_per_second(self) -> float:
        """Mean rate so far."""
        return self._num_samples / self._seconds if self._seconds else 0.0


def peak_memory_bytes(device: torch.device) -> int:
    """Return the most memory held so far: on the GPU what was allocated, else what this process had resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

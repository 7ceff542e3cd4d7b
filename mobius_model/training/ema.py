"""EMA: the weights of every step -> their exponential moving average, kept in float32 beside them."""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from schemas.config import StrictConfig


class EmaConfig(StrictConfig):
    """How long the average remembers; it is what validation, samples and the final model use."""

    decay: float = Field(0.9999, ge=0, lt=1)  # 0 = no average: the last weights


class Ema:
    """Average of the weights that are trained; the frozen ones need none."""

    def __init__(self, weights: Mapping[str, nn.Parameter], config: EmaConfig) -> None:
        self.weights = weights
        self.averages = {name: weight.detach().float().clone() for name, weight in weights.items()}
        self._config = config

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0; early on the average remembers less."""
        decay = min(self._config.decay, (1 + step) / (10 + step))
        current = [weight.detach().float() for weight in self.weights.values()]
        torch._foreach_lerp_(list(self.averages.values()), current, 1 - decay)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model for as long as the context lasts, whatever happens in it."""
        kept = {name: weight.detach().clone() for name, weight in self.weights.items()}
        try:
            self._fill(self.averages)
            yield
        finally:
            self._fill(kept)

    @torch.no_grad()
    def _fill(self, values: Mapping[str, Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(values[name])

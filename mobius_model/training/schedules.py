"""Schedules: a step -> its learning rate, as a pure function, so that there is no state to save."""

import math
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from schemas.config import StrictConfig


class ScheduleConfig(StrictConfig):
    """How the learning rate goes: up in `warmup_steps`, then level or down along half a cosine."""

    name: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    final_share: float = Field(0.0, ge=0, le=1)  # cosine: of the learning rate, reached at the last step


def _constant(progress: float, final_share: float) -> float:
    return 1.0


def _cosine(progress: float, final_share: float) -> float:
    return final_share + (1 - final_share) * 0.5 * (1 + math.cos(math.pi * progress))


SCHEDULES: dict[str, Callable[[float, float], float]] = {"constant": _constant, "cosine": _cosine}


def rate_at(step: int, config: ScheduleConfig, *, learning_rate: float, num_steps: int) -> float:
    """Return the learning rate of a step, counted from 0."""
    if step < config.warmup_steps:
        return learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, num_steps - config.warmup_steps)
    return learning_rate * SCHEDULES[config.name](min(progress, 1.0), config.final_share)

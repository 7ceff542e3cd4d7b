"""The learning rate as a function of the step."""

import pytest

from mobius_model.training.schedules import ScheduleConfig, rate_at


def rates(num_steps: int = 10, **settings: object) -> list[float]:
    config = ScheduleConfig.model_validate(settings)
    return [rate_at(step, config, learning_rate=2.0, num_steps=num_steps) for step in range(num_steps)]


def test_warm_up_rises_evenly_and_then_the_rate_stays() -> None:
    assert rates(warmup_steps=4) == [0.5, 1.0, 1.5, 2.0, 2, 2, 2, 2, 2, 2]


def test_a_cosine_falls_to_its_final_share() -> None:
    falling = rates(name="cosine", final_share=0.1, warmup_steps=2)
    assert falling[:3] == [1.0, 2.0, 2.0]
    assert falling[2:] == sorted(falling[2:], reverse=True)
    assert rate_at(10, ScheduleConfig(name="cosine", final_share=0.1), learning_rate=2.0, num_steps=10) == 0.2
    half = rate_at(5, ScheduleConfig(name="cosine"), learning_rate=2.0, num_steps=10)
    assert half == pytest.approx(1.0)


def test_more_warm_up_than_steps_never_divides_by_zero() -> None:
    assert rates(num_steps=3, warmup_steps=6, name="cosine") == [2 / 6, 4 / 6, 1.0]

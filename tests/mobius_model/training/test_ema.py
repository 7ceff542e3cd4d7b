"""The average of the weights, and that it never stays in the model."""

import pytest
import torch
from torch import nn

from mobius_model.training.ema import Ema, EmaConfig


def weight(value: float, dtype: torch.dtype = torch.float32) -> nn.Parameter:
    return nn.Parameter(torch.full((2,), value, dtype=dtype))


def test_the_average_follows_its_formula() -> None:
    trained = weight(1.0)
    ema = Ema({"w": trained}, EmaConfig(decay=0.9))
    expected = 1.0
    for step in range(100):
        trained.data.fill_(step + 2.0)
        ema.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * (step + 2.0)
    assert ema.averages["w"].tolist() == pytest.approx([expected] * 2, rel=1e-5)


def test_no_decay_keeps_the_last_weights() -> None:
    trained = weight(1.0)
    ema = Ema({"w": trained}, EmaConfig(decay=0.0))
    trained.data.fill_(5.0)
    ema.update(1000)
    assert ema.averages["w"].tolist() == [5.0, 5.0]


def test_the_average_leaves_the_model_again_even_after_an_error() -> None:
    trained = weight(1.0)
    ema = Ema({"w": trained}, EmaConfig())
    trained.data.fill_(3.0)
    with pytest.raises(KeyboardInterrupt), ema.applied():
        assert trained.tolist() == [1.0, 1.0]
        raise KeyboardInterrupt
    assert trained.tolist() == [3.0, 3.0]
    assert trained.requires_grad


def test_the_average_is_float32_whatever_the_weights_are() -> None:
    trained = weight(1.0, torch.bfloat16)
    ema = Ema({"w": trained}, EmaConfig(decay=0.999))
    trained.data.fill_(1.01)
    for step in range(3):
        ema.update(step)
    assert ema.averages["w"].dtype == torch.float32

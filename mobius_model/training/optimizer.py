"""Optimizer: trained weights -> AdamW over them, fused, or with its state in 8 bits."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from schemas.config import StrictConfig
from schemas.errors import UserError

AdamW = Callable[..., torch.optim.Optimizer]


class OptimizerConfig(StrictConfig):
    """AdamW; the defaults are the paper's."""

    name: Literal["adamw", "adamw_8bit"] = "adamw"  # adamw_8bit needs a GPU and bitsandbytes
    learning_rate: float = Field(1e-4, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)


def _fused() -> AdamW:
    return partial(torch.optim.AdamW, fused=True)


def _8bit() -> AdamW:
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise UserError(
            "optimizer.name = 'adamw_8bit': bitsandbytes is not installed, expected it or optimizer.name = 'adamw'"
        ) from error
    optimizer: AdamW = AdamW8bit
    return optimizer


OPTIMIZERS: dict[str, Callable[[], AdamW]] = {"adamw": _fused, "adamw_8bit": _8bit}


def open_optimizer(weights: Iterable[nn.Parameter], config: OptimizerConfig) -> torch.optim.Optimizer:
    """Return the configured optimizer. Raises UserError if a library it needs is missing."""
    return OPTIMIZERS[config.name]()(
        weights,
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        weight_decay=config.weight_decay,
    )


def set_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every group of weights the learning rate of the coming step."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate

"""Estimate: a training config -> what each mode costs: weights, FLOP, saved activations, optimizer, peak memory."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from mobius_model.cost.counting import StepCount, count_step
from mobius_model.cost.model_shapes import ModelShapes, read_shapes
from mobius_model.network.unet import HEAD, MODES, MobiusUNet
from mobius_model.training.config import TrainConfig
from schemas.errors import UserError

PRECISIONS: dict[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
OPTIMIZER_BYTES = {  # two moments per trained weight
    "adamw": 2 * 4.0,
    "adamw_8bit": 2 * (1 + 4 / 256),  # and a scale per block of 256
}
EMA_BYTES = 4


@dataclass(frozen=True, slots=True)
class ModeEstimate:
    """What one mode costs in one process.

    saved_activation_bytes: between the passes of one micro-batch. forward_flop, backward_flop: of one optimizer step,
    all its micro-batches, with attention and with what is recomputed. peak_bytes: weights, their average, optimizer,
    and the most that gradients, activations and what is recomputed are at once. Left out of it: VAE and text encoder
    (they are not there when latents are precomputed), what happens inside kernels, the buckets of several processes,
    losses of the allocator and the CUDA context; expect 1 to 3 GB more on a GPU. In bf16 and fp16 the bytes follow
    the CPU's autocast, which keeps norms in low precision where a GPU's keeps float32: somewhat low for a GPU.
    """

    parameters: int
    trainable: int
    saved_activation_bytes: int
    forward_flop: int
    backward_flop: int
    optimizer_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """shapes: what was counted. modes: full, serial and parallel; in stage t2i only unet2d."""

    shapes: ModelShapes
    modes: dict[str, ModeEstimate]


def estimate(config: TrainConfig) -> Estimate:
    """Count one step of every mode on fake tensors: no weights, no GPU, about five seconds per mode.

    Raises UserError for options that exclude each other and for a 2D UNet that is not made like Stable Diffusion's.
    """
    shapes = read_shapes(config)
    names = ("unet2d",) if config.stage == "t2i" else reversed(MODES)
    counts = {name: _count(name, config, shapes) for name in names}
    return Estimate(shapes, {name: _mode_estimate(count, config) for name, count in counts.items()})


def _count(name: str, config: TrainConfig, shapes: ModelShapes) -> StepCount:
    return count_step(
        partial(_build_or_say_why, name, config, shapes.unet2d),
        shapes.clip,
        autocast=PRECISIONS[config.loop.precision],
        gradients_exist=config.loop.accumulation > 1,
    )


def _build_or_say_why(name: str, config: TrainConfig, unet2d: dict[str, Any]) -> nn.Module:
    try:
        return _build(name, config, unet2d)
    except (ValueError, TypeError) as error:
        raise UserError(f"network: {error}") from error


def _build(name: str, config: TrainConfig, unet2d: dict[str, Any]) -> nn.Module:
    if name == "unet2d":
        unet: nn.Module = UNet2DConditionModel.from_config(unet2d)
        return unet
    options = {**config.network.model_dump(), "mode": name, "norm_num_groups": unet2d["norm_num_groups"]}
    model: MobiusUNet = MobiusUNet(unet2d, **options)
    model.set_recompute(config.loop.recompute)
    if name == "parallel" and config.loop.spatial_precision == "bf16":
        _lower_h(model, torch.bfloat16)
    return model


def _lower_h(model: MobiusUNet, dtype: torch.dtype) -> None:
    """Do what `unets.lower_h` does, for fake weights: those cannot be cast in place."""
    for name, part in model.spatial.named_children():
        for module in part.modules() if name not in HEAD else ():
            for key, weight in list(module.named_parameters(recurse=False)):
                setattr(module, key, nn.Parameter(weight.detach().to(dtype), requires_grad=weight.requires_grad))


def _mode_estimate(count: StepCount, config: TrainConfig) -> ModeEstimate:
    optimizer_bytes = round(OPTIMIZER_BYTES[config.optimizer.name] * count.trainable)
    step_bytes = max(count.peak_bytes, count.gradient_bytes)  # the optimizer's step needs all gradients and no more
    return ModeEstimate(
        parameters=count.parameters,
        trainable=count.trainable,
        saved_activation_bytes=count.saved_bytes,
        forward_flop=count.forward.flop * config.loop.accumulation,
        backward_flop=count.backward.flop * config.loop.accumulation,
        optimizer_bytes=optimizer_bytes,
        peak_bytes=count.weight_bytes + optimizer_bytes + EMA_BYTES * count.trainable + step_bytes,
    )

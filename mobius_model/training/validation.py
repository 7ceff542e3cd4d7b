"""Validation: held-out clips -> their loss in four ranges of timesteps, the same noise every time."""

import itertools
from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from pydantic import Field
from torch import Tensor

from mobius_model.base_model.opening import Base
from mobius_model.data.clips import Clips
from mobius_model.training.encoding import Encoded, encode
from mobius_model.training.loss import Predict, diffusion_errors, draw_noise, draw_timesteps
from mobius_model.training.seeds import generator_at
from schemas.config import StrictConfig

NUM_BINS = 4  # quantiles of the timesteps: the first one is almost clean, the last almost noise


class ValidationConfig(StrictConfig):
    """How often the average weights are looked at, and what they are asked to draw."""

    every_steps: int = Field(1000, ge=1)  # held-out loss
    sample_every_steps: int = Field(5000, ge=1)  # a GIF per prompt
    prompts: tuple[str, ...] = ()
    seed: int = Field(0, ge=0)  # of noise, timesteps and samples: the same whenever validation runs
    num_inference_steps: int = Field(50, ge=1)
    guidance_scale: float = Field(9.0, ge=0)


@torch.no_grad()
def validation_sums(
    predict_with: Callable[[Encoded], Predict],
    clips: Clips,
    *,
    base: Base,
    schedule: DDIMScheduler,
    seed: int,
    batch_size: int,
    rank: int,
    num_ranks: int,
    device: torch.device,
) -> Tensor:
    """Return, of this rank's share of the held-out clips, sums of losses and counts by timestep quantile: 2 x 4.

    Every clip is looked at once in each quantile; noise and timesteps depend on the seed and its place alone.
    """
    sums = torch.zeros(2, NUM_BINS, dtype=torch.float64)
    edges = [round(number * len(schedule.alphas_cumprod) / NUM_BINS) for number in range(NUM_BINS + 1)]
    batches = clips.validation_batches(batch_size, first=rank, stride=num_ranks)
    for number, batch in enumerate(batches):
        place = rank + number * num_ranks
        encoded = encode(batch, base, generator=generator_at(seed, place, "latents"), device=device)
        predict = predict_with(encoded)
        for quantile, (low, high) in enumerate(itertools.pairwise(edges)):
            generator = generator_at(seed, place, quantile)
            noise = draw_noise(encoded.latents, offset=0.0, generator=generator)
            timesteps = draw_timesteps(len(noise), low, high, generator=generator).to(device)
            errors = diffusion_errors(predict, schedule, latents=encoded.latents, noise=noise, timesteps=timesteps)
            sums[0, quantile] += errors.double().sum().cpu()
            sums[1, quantile] += len(errors)
    return sums

"""Loss: clean latents, noise and a timestep per clip -> what the network reads, and how far it is from the target.

Shapes: B batch, F frames, C channels, H W height and width of the latents.
"""

from collections.abc import Callable
from typing import Literal

import torch
from diffusers import DDIMScheduler
from pydantic import Field, model_validator
from torch import Tensor

from schemas.config import StrictConfig

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noisy latents B C F H W and timesteps B -> noise_pred B C F H W: the noise, v or the latents, as configured."""


class LossConfig(StrictConfig):
    """The noise schedule and what is learnt of it; the defaults are the paper's (section 4)."""

    prediction: Literal["epsilon", "v_prediction", "sample"] = "epsilon"  # as diffusers names them; sample: the latents
    num_timesteps: int = Field(1000, ge=2)
    beta_schedule: Literal["scaled_linear", "linear", "squaredcos_cap_v2"] = "scaled_linear"
    beta_start: float = Field(0.00085, gt=0, lt=1)
    beta_end: float = Field(0.012, gt=0, lt=1)
    zero_terminal_snr: bool = False  # the last timestep is pure noise (arXiv 2305.08891); not with epsilon
    min_snr_gamma: float | None = Field(None, gt=0)  # weigh timesteps as in arXiv 2303.09556; 5 is usual
    noise_offset: float = Field(0.0, ge=0)  # share of noise that is one value per channel and frame

    @model_validator(mode="after")
    def _can_be_learnt(self) -> "LossConfig":
        if self.zero_terminal_snr and self.prediction == "epsilon":
            raise ValueError(
                "zero_terminal_snr = true needs prediction = 'v_prediction' or 'sample': asked for the noise in pure "
                "noise, a network learns nothing"
            )
        if self.zero_terminal_snr and self.min_snr_gamma is not None:
            raise ValueError(
                "min_snr_gamma weighs the last timestep of zero_terminal_snr = true with 0, so that it would never be "
                "learnt: expected one of the two"
            )
        return self


def noise_schedule(config: LossConfig) -> DDIMScheduler:
    """Return the schedule as diffusers' DDIM scheduler; the sampler of the trained model starts from its config."""
    return DDIMScheduler(
        num_train_timesteps=config.num_timesteps,
        beta_start=config.beta_start,
        beta_end=config.beta_end,
        beta_schedule=config.beta_schedule,
        prediction_type=config.prediction,
        rescale_betas_zero_snr=config.zero_terminal_snr,
        timestep_spacing="trailing" if config.zero_terminal_snr else "leading",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def draw_noise(latents: Tensor, *, offset: float, generator: torch.Generator) -> Tensor:
    """Draw noise shaped like latents B C F H W, independent per frame, plus `offset` times one draw per channel."""
    noise = torch.randn(latents.shape, generator=generator)
    if offset:
        noise += offset * torch.randn((*latents.shape[:3], 1, 1), generator=generator)
    return noise.to(latents)


def draw_timesteps(num: int, low: int, high: int, *, generator: torch.Generator) -> Tensor:
    """Draw one timestep per clip, low <= timestep < high."""
    return torch.randint(low, high, (num,), generator=generator)


def target_of(schedule: DDIMScheduler, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """Return what noise_pred is compared with: the noise, the latents, or v = alpha noise - sigma latents.

    v is of arXiv 2202.00512. The latents are what a narrow network can learn: they lie on a manifold, noise does not
    (arXiv 2511.13720).
    """
    if schedule.config.prediction_type == "epsilon":
        return noise
    if schedule.config.prediction_type == "sample":
        return latents
    velocity: Tensor = schedule.get_velocity(latents, noise, timesteps)
    return velocity


def signal_to_noise(schedule: DDIMScheduler, timesteps: Tensor) -> Tensor:
    """Return alpha^2 / sigma^2 of each timestep (B)."""
    alphas_cumprod: Tensor = schedule.alphas_cumprod.to(timesteps.device)[timesteps]
    return alphas_cumprod / (1 - alphas_cumprod)


def min_snr_weights(schedule: DDIMScheduler, timesteps: Tensor, *, gamma: float) -> Tensor:
    """Weigh timesteps by min(SNR, gamma), what errors of the latents get (arXiv 2303.09556, section 3.4).

    Errors of the noise are larger by SNR, those of v by SNR + 1.
    """
    snr = signal_to_noise(schedule, timesteps)
    scale = {"sample": torch.ones_like(snr), "epsilon": snr, "v_prediction": snr + 1}
    return snr.clamp(max=gamma) / scale[schedule.config.prediction_type]


def squared_error(noise_pred: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of every clip: B C F H W twice -> B, in float32."""
    return (noise_pred.float() - target.float()).square().flatten(1).mean(1)


def diffusion_errors(
    predict: Predict, schedule: DDIMScheduler, *, latents: Tensor, noise: Tensor, timesteps: Tensor
) -> Tensor:
    """Return E = |target - predict(alpha latents + sigma noise, timesteps)|^2 of every clip (arXiv 2006.11239, Eq. 14).

    latents, noise: B C F H W; timesteps: B. Gives B.
    """
    noisy = schedule.add_noise(latents, noise, timesteps)
    return squared_error(predict(noisy, timesteps), target_of(schedule, latents, noise, timesteps))


def training_loss(
    predict: Predict, schedule: DDIMScheduler, latents: Tensor, *, config: LossConfig, generator: torch.Generator
) -> Tensor:
    """Return the loss of one micro-batch of latents B C F H W; noise and timesteps come from the generator alone."""
    noise = draw_noise(latents, offset=config.noise_offset, generator=generator)
    timesteps = draw_timesteps(len(latents), 0, config.num_timesteps, generator=generator).to(latents.device)
    errors = diffusion_errors(predict, schedule, latents=latents, noise=noise, timesteps=timesteps)
    if config.min_snr_gamma is not None:
        errors = errors * min_snr_weights(schedule, timesteps, gamma=config.min_snr_gamma)
    return errors.mean()

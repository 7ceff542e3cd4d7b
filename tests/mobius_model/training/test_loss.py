"""The loss against a few lines of plain tensor code, and the noise it draws."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from mobius_model.training.loss import (
    LossConfig,
    diffusion_errors,
    draw_noise,
    draw_timesteps,
    min_snr_weights,
    noise_schedule,
    training_loss,
)

SHAPE = (3, 4, 5, 6, 6)  # B C F H W


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=seeded(seed))


def plain_alphas_cumprod(config: LossConfig) -> Tensor:
    """scaled_linear of Stable Diffusion: betas whose square roots are evenly spaced."""
    betas = torch.linspace(config.beta_start**0.5, config.beta_end**0.5, config.num_timesteps) ** 2
    return torch.cumprod(1 - betas, 0)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_errors_are_those_of_the_equations(prediction: str) -> None:
    config = LossConfig.model_validate({"prediction": prediction})
    latents, noise, answer = randn(1), randn(2), randn(3)
    timesteps = torch.tensor([0, 500, 999])
    alpha = plain_alphas_cumprod(config)[timesteps].sqrt().reshape(-1, 1, 1, 1, 1)
    sigma = (1 - alpha**2).sqrt()
    seen = []

    def predict(noisy: Tensor, at: Tensor) -> Tensor:
        seen.append((noisy, at))
        return answer

    errors = diffusion_errors(predict, noise_schedule(config), latents=latents, noise=noise, timesteps=timesteps)
    target = {"epsilon": noise, "v_prediction": alpha * noise - sigma * latents, "sample": latents}[prediction]
    torch.testing.assert_close(errors, ((answer - target) ** 2).mean((1, 2, 3, 4)))
    ((noisy, at),) = seen
    torch.testing.assert_close(noisy, alpha * latents + sigma * noise)
    assert torch.equal(at, timesteps)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_min_snr_weights_are_those_of_the_paper(prediction: str) -> None:
    config = LossConfig.model_validate({"prediction": prediction})
    timesteps = torch.arange(0, 1000, 37)
    alphas_cumprod = plain_alphas_cumprod(config)[timesteps]
    snr = alphas_cumprod / (1 - alphas_cumprod)
    expected = (
        torch.minimum(snr, torch.tensor(5.0)) / {"epsilon": snr, "v_prediction": snr + 1, "sample": 1}[prediction]
    )
    torch.testing.assert_close(min_snr_weights(noise_schedule(config), timesteps, gamma=5.0), expected)


def test_zero_terminal_snr_ends_in_pure_noise_and_needs_velocity() -> None:
    schedule = noise_schedule(LossConfig(zero_terminal_snr=True, prediction="v_prediction"))
    assert schedule.alphas_cumprod[-1] < 1e-6
    with pytest.raises(ValidationError, match="zero_terminal_snr = true needs prediction = 'v_prediction' or 'sample'"):
        LossConfig(zero_terminal_snr=True)


def test_min_snr_would_never_learn_a_last_timestep_of_pure_noise() -> None:
    schedule = noise_schedule(LossConfig(zero_terminal_snr=True, prediction="v_prediction"))
    assert min_snr_weights(schedule, torch.tensor([999]), gamma=5.0).max() < 1e-6
    with pytest.raises(ValidationError, match=r"min_snr_gamma weighs the last timestep .* with 0"):
        LossConfig(zero_terminal_snr=True, prediction="v_prediction", min_snr_gamma=5.0)


def test_noise_is_independent_per_frame_and_its_offset_is_one_value_per_channel_and_frame() -> None:
    latents = torch.zeros(2, 3, 4, 32, 32)
    plain = draw_noise(latents, offset=0.0, generator=seeded())
    frames = plain.movedim(2, 0).flatten(1)
    assert torch.corrcoef(frames).fill_diagonal_(0).abs().max() < 0.1
    offset = draw_noise(latents, offset=0.1, generator=seeded()) - plain
    assert torch.allclose(offset, offset.mean((3, 4), keepdim=True), atol=1e-6)
    assert offset.mean((3, 4)).unique().numel() == 2 * 3 * 4


def test_there_is_one_timestep_per_clip_within_its_limits() -> None:
    drawn = draw_timesteps(2000, 250, 500, generator=seeded())
    assert drawn.shape == (2000,)
    assert (drawn.min(), drawn.max()) == (250, 499)


@pytest.mark.parametrize("gamma", [None, 5.0])
def test_the_generator_alone_decides_a_training_loss(gamma: float | None) -> None:
    config = LossConfig(min_snr_gamma=gamma)
    schedule = noise_schedule(config)
    latents = randn(4)

    def loss(seed: int) -> Tensor:
        torch.rand(1)  # the global state moves on
        return training_loss(lambda noisy, at: noisy, schedule, latents, config=config, generator=seeded(seed))

    assert torch.equal(loss(7), loss(7))
    assert not torch.equal(loss(7), loss(8))

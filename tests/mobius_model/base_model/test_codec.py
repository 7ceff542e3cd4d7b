"""The lossless codec: exact, and with the face of a VAE."""

from pathlib import Path

import pytest
import torch

from mobius_model.base_model.codec import SpaceToDepth


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("scaling_factor", [1.0, 2.0, 0.5])
def test_pixels_come_back_to_the_bit(factor: int, scaling_factor: float):
    codec = SpaceToDepth(factor=factor, scaling_factor=scaling_factor)
    pixels = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = codec.encode(pixels).latent_dist.sample() * codec.config.scaling_factor
    assert latents.shape == (2, codec.config.latent_channels, 16 // factor, 24 // factor)
    assert torch.equal(codec.decode(latents / codec.config.scaling_factor).sample, pixels)


def test_any_other_scaling_costs_no_more_than_rounding():
    codec = SpaceToDepth(scaling_factor=0.18215)
    pixels = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = codec.encode(pixels).latent_dist.mode() * codec.config.scaling_factor
    torch.testing.assert_close(codec.decode(latents / codec.config.scaling_factor).sample, pixels, rtol=2e-7, atol=0)


def test_a_latent_pixel_holds_its_own_block_and_nothing_else():
    pixels = torch.zeros(1, 3, 8, 8)
    pixels[0, :, 4:, :4] = torch.rand(3, 4, 4) + 1
    latents = SpaceToDepth(factor=4).encode(pixels).latent_dist.mean
    assert latents[0, :, 1, 0].count_nonzero() == latents.count_nonzero() == 3 * 16


def test_nothing_is_uncertain():
    latents = SpaceToDepth().encode(torch.rand(1, 3, 8, 8)).latent_dist
    assert latents.std.shape == latents.mean.shape
    assert not latents.std.any()
    assert torch.equal(latents.sample(torch.Generator()), latents.mode())


def test_it_is_saved_and_loaded_as_safetensors(tmp_path: Path):
    SpaceToDepth(factor=2, scaling_factor=0.5).save_pretrained(tmp_path)
    codec = SpaceToDepth.from_pretrained(tmp_path, use_safetensors=True)
    assert (codec.config.factor, codec.config.latent_channels, codec.config.scaling_factor) == (2, 12, 0.5)
    assert not codec.latent_std.any()
    assert codec.dtype == torch.float32


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="factor = 9: expected 1 to 8"):
        SpaceToDepth(factor=9)
    with pytest.raises(ValueError, match="latent_channels = 4: expected 48"):
        SpaceToDepth(factor=4, latent_channels=4)
    with pytest.raises(ValueError, match="10 x 8 pixels: expected multiples of 4"):
        SpaceToDepth(factor=4).encode(torch.zeros(1, 3, 10, 8))

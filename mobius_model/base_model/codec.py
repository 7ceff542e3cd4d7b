"""Codec: pixels -> latents without loss, each block of pixels becoming the channels of one latent pixel.

It stands where a VAE stands, for a machine that has none: same calls, same words, nothing learned.

Shapes: B batch, C channels, H W height and width of the pixels, f factor.
"""

from dataclasses import dataclass

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.utils import BaseOutput
from torch import Tensor
from torch.nn import functional

MAX_FACTOR = 8


@dataclass(frozen=True)
class CertainLatents:
    """What a VAE's latent distribution is where nothing is uncertain: mean and std (zeros), B C*f*f H/f W/f."""

    mean: Tensor
    std: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Return the mean; there is nothing to draw."""
        return self.mean

    def mode(self) -> Tensor:
        """Return the mean."""
        return self.mean


@dataclass
class SpaceToDepthOutput(BaseOutput):
    """latent_dist: as AutoencoderKL's output names it."""

    latent_dist: CertainLatents


class SpaceToDepth(ModelMixin, ConfigMixin):
    """A lossless codec with the calls of diffusers' AutoencoderKL.

    factor: pixels per latent pixel along each side, 1 to 8.
    scaling_factor: what encoded latents are multiplied with before noise is added, and divided by before decoding,
    by whoever calls, as with any VAE of Stable Diffusion. Stickers on white, in [-1, 1], have a mean square of 0.7;
    a power of two keeps the round trip exact to the bit.
    Raises ValueError for a factor out of range.
    """

    @register_to_config
    def __init__(
        self, factor: int = 4, in_channels: int = 3, latent_channels: int | None = None, scaling_factor: float = 1.0
    ) -> None:
        super().__init__()
        if not 1 <= factor <= MAX_FACTOR:
            raise ValueError(f"factor = {factor}: expected 1 to {MAX_FACTOR}")
        expected = in_channels * factor**2
        if latent_channels not in (None, expected):
            raise ValueError(f"latent_channels = {latent_channels}: expected {expected}, {in_channels} x {factor}^2")
        self.register_to_config(latent_channels=expected)
        self.register_buffer("latent_std", torch.zeros(1))  # diffusers cannot load a model that stores nothing

    def encode(self, x: Tensor, return_dict: bool = True) -> SpaceToDepthOutput | tuple[CertainLatents]:
        """Encode pixels, B C H W in [-1, 1]; raises ValueError where f does not divide H and W."""
        factor = self.config.factor
        height, width = x.shape[-2:]
        if height % factor or width % factor:
            raise ValueError(f"pictures of {height} x {width} pixels: expected multiples of {factor}")
        mean = functional.pixel_unshuffle(x, factor)  # B C*f*f H/f W/f
        latents = CertainLatents(mean, self.latent_std.to(mean).expand_as(mean))
        return SpaceToDepthOutput(latent_dist=latents) if return_dict else (latents,)

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Decode latents, B C*f*f H W, to pixels, B C f*H f*W."""
        sample = functional.pixel_shuffle(z, self.config.factor)
        return DecoderOutput(sample=sample) if return_dict else (sample,)

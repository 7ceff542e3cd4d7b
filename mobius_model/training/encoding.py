"""Encoding: a batch of pixels and captions, or of stored latents -> what the network trains on.

Shapes: B batch, F frames, C latent channels, H W height and width of the latents, L tokens, D width of the text.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from mobius_model.base_model.opening import Base
from mobius_model.data.batches import Batch, LatentBatch, PixelBatch


@dataclass(frozen=True, slots=True)
class Encoded:
    """latents: B C F H W, scaled; encoder_hidden_states: B L D; both float32 on the device."""

    latents: Tensor
    encoder_hidden_states: Tensor


@torch.no_grad()
def encode(batch: Batch, base: Base, *, generator: torch.Generator, device: torch.device) -> Encoded:
    """Encode a batch on a device; latents are drawn from the VAE's mean and deviation."""
    if isinstance(batch, LatentBatch):
        mean, std = batch.mean.to(device), batch.std.to(device)
        text = batch.encoder_hidden_states.to(device)
    else:
        mean, std = _encode_pixels(batch, base, device)
        text = base.text.encode(batch.captions).to(device)
    drawn = torch.randn(mean.shape, generator=generator).to(device)
    return Encoded(mean + std * drawn, text)


def _encode_pixels(batch: PixelBatch, base: Base, device: torch.device) -> tuple[Tensor, Tensor]:
    frames = rearrange(batch.pixels.to(device), "b f c h w -> (b f) c h w")
    distribution = base.vae.encode(frames).latent_dist
    num_frames = batch.pixels.shape[1]
    mean, std = (
        rearrange(each.float() * base.scaling_factor, "(b f) c h w -> b c f h w", f=num_frames)
        for each in (distribution.mean, distribution.std)
    )
    return mean, std

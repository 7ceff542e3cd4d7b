"""Temporal layers: features of frames -> features that know their neighbours in time (TC and TA of the paper, Table 1).

Shapes: B batch, F frames, C channels, H W height and width; every layer takes and gives (B F) C H W.
The weights are named as in diffusers' TemporalConvLayer and TransformerTemporalModel, so theirs can be loaded.
"""

import math

import torch
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from einops import rearrange
from torch import Tensor, nn

MAX_ATTENTION_BATCH = 65_535  # CUDA kernels of scaled_dot_product_attention fail above (pytorch #146704)
DROPOUT = 0.1


def num_groups(channels: int, preferred: int) -> int:
    """Return how many groups a GroupNorm over so many channels gets: the preferred number if it divides them."""
    return math.gcd(channels, preferred)


class TemporalConv(nn.Module):
    """TC: four convolutions over time, the last zero at the start, so that the stack begins as its residual or nothing.

    With `residual` the input is added; where it has another width than the output, through a 1 x 1 x 1 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm_num_groups: int,
        residual: bool = True,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        self.conv1 = _stack(in_channels, out_channels, norm_num_groups)
        self.conv2 = _stack(out_channels, out_channels, norm_num_groups, dropout)
        self.conv3 = _stack(out_channels, out_channels, norm_num_groups, dropout)
        self.conv4 = _stack(out_channels, out_channels, norm_num_groups, dropout)
        for weight in self.conv4[-1].parameters():
            nn.init.zeros_(weight)
        self.residual = residual
        self.shortcut = nn.Conv3d(in_channels, out_channels, 1) if residual and in_channels != out_channels else None

    def forward(self, features: Tensor, num_frames: int) -> Tensor:
        """Map (B F) C H W to (B F) C' H W."""
        clip = rearrange(features, "(b f) c h w -> b c f h w", f=num_frames)
        out = self.conv4(self.conv3(self.conv2(self.conv1(clip))))
        if self.residual:
            out = out + (clip if self.shortcut is None else self.shortcut(clip))
        frames: Tensor = rearrange(out, "b c f h w -> (b f) c h w")
        return frames


def _stack(in_channels: int, out_channels: int, norm_num_groups: int, dropout: float | None = None) -> nn.Sequential:
    layers: list[nn.Module] = [nn.GroupNorm(num_groups(in_channels, norm_num_groups), in_channels), nn.SiLU()]
    if dropout is not None:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Conv3d(in_channels, out_channels, (3, 1, 1), padding=(1, 0, 0)))


class TemporalAttention(TransformerTemporalModel):
    """TA: every pixel attends to itself in the other frames; diffusers' blocks, with the residual by choice."""

    def __init__(
        self, channels: int, *, head_dim: int, num_heads: int, norm_num_groups: int, residual: bool = True
    ) -> None:
        super().__init__(
            num_attention_heads=num_heads,
            attention_head_dim=head_dim,
            in_channels=channels,
            num_layers=1,
            norm_num_groups=num_groups(channels, norm_num_groups),
        )
        self.residual = residual

    def forward(self, features: Tensor, num_frames: int) -> Tensor:
        """Map (B F) C H W to the same shape."""
        height, width = features.shape[-2:]
        clip = rearrange(features, "(b f) c h w -> b c f h w", f=num_frames)
        pixels = rearrange(self.norm(clip), "b c f h w -> (b h w) f c")  # every pixel becomes a sequence over time
        pixels = torch.cat([self._attend(part) for part in pixels.split(MAX_ATTENTION_BATCH)])
        out = rearrange(pixels, "(b h w) f c -> (b f) c h w", h=height, w=width)
        return out + features if self.residual else out

    def _attend(self, pixels: Tensor) -> Tensor:
        pixels = self.proj_in(pixels)
        for block in self.transformer_blocks:
            pixels = block(pixels)
        out: Tensor = self.proj_out(pixels)
        return out

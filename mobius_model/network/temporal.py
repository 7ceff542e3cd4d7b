"""Temporal layers: features of frames -> features that know their neighbours in time (TC and TA of the paper, Table 1).

Shapes: B batch, F frames, C channels, H W height and width, N pixels of all clips; every layer takes and gives
(B F) C H W. The weights are named as in diffusers' TemporalConvLayer and TransformerTemporalModel, so theirs can be
loaded.
"""

import math
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from einops import rearrange
from torch import Tensor, nn

from mobius_model.network.lean import Gate, LeanDropout, NormSilu, gated
from mobius_model.network.recompute import NOTHING_AGAIN, Cuttable, Recompute, again, once

MAX_ATTENTION_BATCH = 65_535  # CUDA kernels of scaled_dot_product_attention fail above (pytorch #146704)
MAX_POSITIONS = 256  # frames of a clip, where they are told apart
DROPOUT = 0.1


def num_groups(channels: int, preferred: int) -> int:
    """Return how many groups a GroupNorm over so many channels gets: the preferred number if it divides them."""
    return math.gcd(channels, preferred)


class TemporalConv(nn.Module, Cuttable):
    """TC: four convolutions over time, the last zero at the start: the stack begins as its residual or nothing."""

    def __init__(self, channels: int, *, norm_num_groups: int, residual: bool = True, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.conv1 = _stack(channels, norm_num_groups)
        self.conv2 = _stack(channels, norm_num_groups, dropout)
        self.conv3 = _stack(channels, norm_num_groups, dropout)
        self.conv4 = _stack(channels, norm_num_groups, dropout)
        for weight in self.conv4[-1].parameters():
            nn.init.zeros_(weight)
        self.residual = residual

    def forward(self, features: Tensor, num_frames: int, recompute: Recompute = NOTHING_AGAIN) -> Tensor:
        """Map (B F) C H W to the same shape."""
        if recompute.convolutions == "layer":
            out = again(self._convolve, features, num_frames)
        else:
            out = self._convolve(features, num_frames, cut=recompute.convolutions == "steps")
        return features + out if self.residual else out

    def _convolve(self, features: Tensor, num_frames: int, *, cut: bool = False) -> Tensor:
        run = again if cut else once
        out = rearrange(features, "(b f) c h w -> b c f h w", f=num_frames)
        for stack in (self.conv1, self.conv2, self.conv3, self.conv4):
            out = run(stack, out)
        frames: Tensor = rearrange(out, "b c f h w -> (b f) c h w")
        return frames


def _stack(channels: int, norm_num_groups: int, dropout: float | None = None) -> nn.Sequential:
    """Return norm, SiLU, dropout and convolution, at the places where diffusers has those with weights."""
    norm = NormSilu(num_groups(channels, norm_num_groups), channels)
    between = [] if dropout is None else [LeanDropout(dropout)]
    return nn.Sequential(norm, nn.Identity(), *between, nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0)))


class TemporalAttention(TransformerTemporalModel, Cuttable):
    """TA: every pixel attends to itself in the other frames; diffusers' blocks, with the residual by choice."""

    def __init__(
        self,
        channels: int,
        *,
        head_dim: int,
        num_heads: int,
        norm_num_groups: int,
        residual: bool = True,
        positions: bool = False,
    ) -> None:
        super().__init__(
            num_attention_heads=num_heads,
            attention_head_dim=head_dim,
            in_channels=channels,
            num_layers=1,
            norm_num_groups=num_groups(channels, norm_num_groups),
            positional_embeddings="sinusoidal" if positions else None,
            num_positional_embeddings=MAX_POSITIONS if positions else None,
        )
        inner = num_heads * head_dim
        for block in self.transformer_blocks:
            block.ff.net[0] = Gate(inner, block.ff.net[2].in_features)
        self.residual = residual

    def forward(self, features: Tensor, num_frames: int, recompute: Recompute = NOTHING_AGAIN) -> Tensor:
        """Map (B F) C H W to the same shape."""
        if recompute.attention == "layer":
            pixels = again(self._attend, features, num_frames)
        else:
            pixels = self._attend(features, num_frames, cut=recompute.attention == "steps")
        pixels = self.proj_out(pixels)  # outside, so that its input is kept and the last product is not run again
        height, width = features.shape[-2:]
        out: Tensor = rearrange(pixels, "(b h w) f c -> (b f) c h w", h=height, w=width)
        return out + features if self.residual else out

    def _attend(self, features: Tensor, num_frames: int, *, cut: bool = False) -> Tensor:
        """Map (B F) C H W to (B H W) F C'."""
        pixels = again(self._enter, features, num_frames) if cut else self._enter(features, num_frames)
        parts = [self._attend_part(part, cut=cut) for part in torch.split(pixels, MAX_ATTENTION_BATCH)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _enter(self, features: Tensor, num_frames: int) -> Tensor:
        normed = self.norm(rearrange(features, "(b f) c h w -> b c f h w", f=num_frames))
        pixels: Tensor = self.proj_in(rearrange(normed, "b c f h w -> (b h w) f c"))  # every pixel, over time
        return pixels

    def _attend_part(self, pixels: Tensor, *, cut: bool) -> Tensor:
        for block in self.transformer_blocks:
            pixels = _run_in_steps(block, pixels) if cut else block(pixels)
        return pixels


def _run_in_steps(block: Any, pixels: Tensor) -> Tensor:
    """Run diffusers' BasicTransformerBlock, N F C: every product is kept, every norm and gate computed again."""
    for norm, attention in ((block.norm1, block.attn1), (block.norm2, block.attn2)):
        pixels = pixels + _attention_of(attention, again(_asked, norm, attention, block.pos_embed, pixels))
    both = again(nn.Sequential(block.norm3, block.ff.net[0].proj), pixels)
    return pixels + again(_leave, block.ff.net[2], both)


def _asked(norm: nn.Module, attention: Attention, positions: nn.Module | None, pixels: Tensor) -> Tensor:
    """Return queries, keys and values side by side, N F 3C, as one product: it need not be run again."""
    weight = torch.cat([attention.to_q.weight, attention.to_k.weight, attention.to_v.weight])
    normed = norm(pixels)
    return nn.functional.linear(normed if positions is None else positions(normed), weight)


def _attention_of(attention: Attention, asked: Tensor) -> Tensor:
    query, key, value = rearrange(asked, "n f (three h d) -> three n h f d", three=3, h=attention.heads)
    out = nn.functional.scaled_dot_product_attention(query, key, value, scale=attention.scale)
    projected: Tensor = attention.to_out[0](rearrange(out, "n h f d -> n f (h d)"))
    return projected


def _leave(projection: nn.Module, both: Tensor) -> Tensor:
    out: Tensor = projection(gated(both))
    return out

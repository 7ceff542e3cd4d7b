"""Shapes: clips as batches of frames and back, and what two states do to each other's sizes.

Shapes: B batch, F frames, C channels, H W height and width.
"""

import torch
from einops import rearrange
from torch import Tensor, nn


def repeat_per_frame(features: Tensor, num_frames: int) -> Tensor:
    """Repeat each of B rows for the F frames of its clip: B ... -> (B F) ..."""
    return features.repeat_interleave(num_frames, dim=0)


def to_frames(clip: Tensor) -> Tensor:
    """B C F H W -> (B F) C H W."""
    return rearrange(clip, "b c f h w -> (b f) c h w")


def to_clip(frames: Tensor, num_frames: int) -> Tensor:
    """(B F) C H W -> B C F H W."""
    return rearrange(frames, "(b f) c h w -> b c f h w", f=num_frames)


def joined(features: Tensor, skip: Tensor) -> Tensor:
    """Concatenate a state and its skip along the channels (Eq. 4 and 5)."""
    return torch.cat([features, skip], dim=1)


def pooled_or_repeated(t: Tensor, size: torch.Size, *, goes_down: bool) -> Tensor:
    """Resample without any weight: means going down, nearest pixels going up."""
    if goes_down:
        return nn.functional.adaptive_avg_pool2d(t, (size[0], size[1]))
    return nn.functional.interpolate(t, size=tuple(size), mode="nearest")

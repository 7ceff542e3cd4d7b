"""Fusion: the two states after the last block -> what the output head reads (Eq. 6 of arXiv 2407.06617).

Both forms start at zero and are added to h: before the first step the network is the 2D UNet, frame by frame.
"""

import torch
from torch import Tensor, nn

from mobius_model.network.lean import NormSilu
from mobius_model.network.temporal import num_groups


class LinearFusion(nn.Module):
    """One 1 x 1 convolution over both states."""

    def __init__(self, channels: int, temporal_channels: int, norm_num_groups: int) -> None:
        super().__init__()
        self.conv = _zero(nn.Conv2d(channels + temporal_channels, channels, 1))

    def forward(self, h: Tensor, t: Tensor) -> Tensor:
        """Map h (B F) C H W and t (B F) C' H W to (B F) C H W."""
        out: Tensor = h + self.conv(torch.cat([h, t], dim=1))
        return out


class DeepFusion(nn.Module):
    """A residual block over both states: norm, SiLU and 3 x 3 convolution, twice, the second convolution zero.

    Each state has a norm of its own: t is a sum over all layers and far larger than h. Without, the first steps throw
    the output about, and moving figures are hardly learnt.
    """

    def __init__(self, channels: int, temporal_channels: int, norm_num_groups: int) -> None:
        super().__init__()
        self.norm_h = NormSilu(num_groups(channels, norm_num_groups), channels)
        self.norm_t = NormSilu(num_groups(temporal_channels, norm_num_groups), temporal_channels)
        self.conv1 = nn.Conv2d(channels + temporal_channels, channels, 3, padding=1)
        self.norm2 = NormSilu(num_groups(channels, norm_num_groups), channels)
        self.conv2 = _zero(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, h: Tensor, t: Tensor) -> Tensor:
        """Map h (B F) C H W and t (B F) C' H W to (B F) C H W."""
        both = self.conv1(torch.cat([self.norm_h(h), self.norm_t(t)], dim=1))
        out: Tensor = h + self.conv2(self.norm2(both))
        return out


FUSIONS: dict[str, type[LinearFusion] | type[DeepFusion]] = {"linear": LinearFusion, "deep": DeepFusion}


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv

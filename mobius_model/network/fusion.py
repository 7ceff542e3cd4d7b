"""Fusion: the two states after the last block -> what the output head reads (Eq. 6 of arXiv 2407.06617).

Both forms start at zero and are added to h: before the first step the network is the 2D UNet, frame by frame.
"""

import torch
from torch import Tensor, nn


class LinearFusion(nn.Module):
    """One 1 x 1 convolution over both states."""

    def __init__(self, channels: int, temporal_channels: int) -> None:
        super().__init__()
        self.conv = _zero(nn.Conv2d(channels + temporal_channels, channels, 1))

    def forward(self, h: Tensor, t: Tensor) -> Tensor:
        """Map h (B F) C H W and t (B F) C' H W to (B F) C H W."""
        out: Tensor = h + self.conv(torch.cat([h, t], dim=1))
        return out


class DeepFusion(nn.Module):
    """Two 3 x 3 convolutions over both states, the second one zero at the start."""

    def __init__(self, channels: int, temporal_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels + temporal_channels, channels, 3, padding=1)
        self.conv2 = _zero(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, h: Tensor, t: Tensor) -> Tensor:
        """Map h (B F) C H W and t (B F) C' H W to (B F) C H W."""
        out: Tensor = h + self.conv2(nn.functional.silu(self.conv1(torch.cat([h, t], dim=1))))
        return out


FUSIONS: dict[str, type[LinearFusion] | type[DeepFusion]] = {"linear": LinearFusion, "deep": DeepFusion}


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv

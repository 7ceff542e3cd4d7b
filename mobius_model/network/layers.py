"""Layers: one SC and SA of the 2D UNet -> the TC and TA that go with them, in series or in parallel."""

from dataclasses import dataclass

from diffusers.models.downsampling import Downsample2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from mobius_model.network.layout import Layer, Resampler
from mobius_model.network.recompute import NOTHING_AGAIN, Cuttable, Recompute, again
from mobius_model.network.temporal import TemporalAttention, TemporalConv


@dataclass(frozen=True, slots=True)
class BranchOptions:
    """How the temporal branch is made.

    width: of t, as a share of h's; below 1, what comes from h goes through a 1 x 1 convolution first.
    conv_residual, attention_residual: whether TC and TA add their input (Eq. 9 says nothing about it).
    mixing: whether t is mixed with its neighbours in the plane before TC.
    positions: whether TA is told which frame is which.
    norm_num_groups, dropout: of the temporal layers.
    """

    width: float
    conv_residual: bool
    attention_residual: bool
    mixing: bool
    positions: bool
    norm_num_groups: int
    dropout: float

    def channels(self, of_h: int) -> int:
        """Return the width of t beside so many channels of h."""
        return round(of_h * self.width)


class SerialLayer(nn.Module):
    """TA(SA(TC(SC(h)))): diffusers' order, both layers on the one state there is."""

    def __init__(self, layer: Layer, options: BranchOptions) -> None:
        super().__init__()
        channels = layer.out_channels
        self.conv = TemporalConv(channels, norm_num_groups=options.norm_num_groups, dropout=options.dropout)
        self.attention = _attention(layer, channels, options, residual=True)


class ParallelLayer(nn.Module, Cuttable):
    """t' = h' + TA(s + TC(t)), with s = SC(h) and h' = SA(s): Eq. 8 and 9 of arXiv 2407.06617.

    On the levels without attention SA and TA are missing, and t' = s + TC(t). The bridge brings t and its skip to one
    width before TC, which so is the same layer in every mode.
    """

    def __init__(self, layer: Layer, options: BranchOptions) -> None:
        super().__init__()
        channels = options.channels(layer.out_channels)
        self.bridge = Bridge(options.channels(layer.in_channels), options.channels(layer.skip_channels), channels)
        self.mix = Mix(channels) if options.mixing else nn.Identity()
        self.conv = TemporalConv(
            channels,
            norm_num_groups=options.norm_num_groups,
            residual=options.conv_residual,
            dropout=options.dropout,
        )
        self.attention = _attention(layer, channels, options, residual=options.attention_residual)
        self.narrow_s = narrowing(layer.out_channels, channels)
        self.narrow_h = narrowing(layer.out_channels, channels) if self.attention is not None else None

    def forward(
        self,
        t: Tensor,
        skip: Tensor | None,
        s: Tensor,
        h: Tensor,
        num_frames: int,
        recompute: Recompute = NOTHING_AGAIN,
    ) -> Tensor:
        """Map t and its skip (B F) C H W, with s and h' (B F) C' H W, to the next t (B F) C' H W.

        Only what TC and TA do is ever run again. The sums need nothing, so neither s nor h' is kept where t is as wide
        as h; where it is narrower, the trained convolutions that narrow them keep both.
        """
        if recompute.convolutions == "layer":
            mixed: Tensor = self.narrow_s(s) + again(self._bridge_and_convolve, t, skip, num_frames)
        else:
            mixed = self.narrow_s(s) + self.conv(self.mix(self.bridge(t, skip)), num_frames, recompute)
        if self.attention is None or self.narrow_h is None:
            return mixed
        out: Tensor = self.narrow_h(h) + self.attention(mixed, num_frames, recompute)
        return out

    def _bridge_and_convolve(self, t: Tensor, skip: Tensor | None, num_frames: int) -> Tensor:
        out: Tensor = self.conv(self.mix(self.bridge(t, skip)), num_frames)
        return out


class Bridge(nn.Module):
    """t and its skip beside it -> t of this layer's width: the skip by a 1 x 1 convolution, added to t.

    t itself goes through one only where its own width changes. TC over both side by side would do two to three times
    the arithmetic in its first convolution and keep two to three times as much there.
    """

    def __init__(self, channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.widen = narrowing(channels, out_channels)
        self.skip = nn.Conv2d(skip_channels, out_channels, 1) if skip_channels else None

    def forward(self, t: Tensor, skip: Tensor | None) -> Tensor:
        """Map t and skip N C H W to N C' H W; side by side they would be one more copy to keep."""
        out: Tensor = self.widen(t)
        return out if self.skip is None else out + self.skip(skip)


class Mix(nn.Module):
    """t -> t and what is around it: a 3 x 3 convolution per channel, zero at the start, added to t.

    TC and TA look along time only, and what h brings was never beside another frame: without this, t would learn of
    movement in the plane from its resampling alone.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        for weight in self.conv.parameters():
            nn.init.zeros_(weight)

    def forward(self, t: Tensor) -> Tensor:
        """Map N C H W to the same shape."""
        out: Tensor = t + self.conv(t)
        return out


def narrowing(channels: int, narrow_channels: int) -> nn.Module:
    """Return what brings features to the width of t: nothing where they have it."""
    return nn.Identity() if channels == narrow_channels else nn.Conv2d(channels, narrow_channels, 1)


def own_resampler(resampler: Resampler, options: BranchOptions) -> nn.Module:
    """Return a trainable sampler of t's width, made like the 2D UNet's."""
    channels = options.channels(resampler.channels)
    if resampler.goes_down:
        down: nn.Module = Downsample2D(channels, use_conv=True, out_channels=channels, name="op")
        return down
    up: nn.Module = Upsample2D(channels, use_conv=True, out_channels=channels)
    return up


def first_attention(layer: Layer, channels: int, options: BranchOptions) -> TemporalAttention:
    """Return the temporal transformer before all layers (diffusers' transformer_in): 8 heads."""
    assert layer.attention is not None
    head_dim = (
        layer.attention.transformer_blocks[0].attn1.inner_dim // layer.attention.transformer_blocks[0].attn1.heads
    )
    return TemporalAttention(
        channels, num_heads=8, head_dim=head_dim, norm_num_groups=options.norm_num_groups, positions=options.positions
    )


def _attention(layer: Layer, channels: int, options: BranchOptions, *, residual: bool) -> TemporalAttention | None:
    if layer.attention is None:
        return None
    spatial_heads = layer.attention.transformer_blocks[0].attn1.heads
    num_heads = max(1, round(spatial_heads * channels / layer.out_channels))
    return TemporalAttention(
        channels,
        num_heads=num_heads,
        head_dim=channels // num_heads,
        norm_num_groups=options.norm_num_groups,
        residual=residual,
        positions=options.positions,
    )

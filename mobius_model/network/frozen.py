"""Frozen samplers: t -> t at another size, by the 2D UNet's own samplers; nothing is kept for the backward pass.

A convolution keeps its input even when its weight is frozen and nobody will ask for it (pytorch #133566). The
backward passes compute in the precision of the gradient that arrives, as diffusers' own do, under autocast too.
"""

from typing import Any

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input

functional = nn.functional


def resampled_by_frozen(module: Downsample2D | Upsample2D, t: Tensor, size: torch.Size) -> Tensor:
    """Map t N C H W to N C *size, in t's own precision."""
    conv = module.conv
    weight, bias = conv.weight.to(t.dtype), None if conv.bias is None else conv.bias.to(t.dtype)
    if isinstance(module, Downsample2D):
        if module.padding == 0:
            t = functional.pad(t, (0, 1, 0, 1))
        out: Tensor = _FrozenConv.apply(t, weight, conv.stride, conv.padding)  # type: ignore[no-untyped-call]
    elif tuple(size) == (2 * t.shape[-2], 2 * t.shape[-1]):
        out = _DoublingConv.apply(t, weight)  # type: ignore[no-untyped-call]
    else:
        t = functional.interpolate(t, size=tuple(size), mode="nearest")
        out = _FrozenConv.apply(t, weight, conv.stride, conv.padding)  # type: ignore[no-untyped-call]
    return out if bias is None else out + bias[:, None, None]


class _FrozenConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, t: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.dtype, ctx.how = t.shape, t.dtype, {"stride": stride, "padding": padding}
        return functional.conv2d(t, weight, stride=stride, padding=padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        back = conv2d_input(ctx.shape, weight.to(grad.dtype), grad, **ctx.how)  # type: ignore[no-untyped-call]
        return back.to(ctx.dtype), None, None, None


class _DoublingConv(torch.autograd.Function):
    """A 3 x 3 convolution over every pixel twice, as one transposed convolution: 16 products, not 36."""

    @staticmethod
    def forward(ctx: Any, t: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.dtype = t.dtype
        return functional.conv_transpose2d(t, _doubled(weight), stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        back = functional.conv2d(grad, _doubled(weight).to(grad.dtype), stride=2, padding=1)
        return back.to(ctx.dtype), None


def _doubled(weight: Tensor) -> Tensor:
    """Map a kernel over doubled pixels, O I 3 3, to the kernel over the pixels themselves, I O 4 4."""
    flipped = weight.flip(2, 3).transpose(0, 1)
    pads = [(right, 1 - right, low, 1 - low) for right in (0, 1) for low in (0, 1)]
    kernel = functional.pad(flipped, pads[0])
    for pad in pads[1:]:
        kernel = kernel + functional.pad(flipped, pad)
    return kernel

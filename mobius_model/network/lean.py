"""Lean: element-wise work as diffusers does it -> the same numbers, with half as much kept for the backward pass.

What is cheap to have again is not kept: the norm before a SiLU, the GELU of a gate, a mask of zeros and ones in floats.
"""

from typing import Any

import torch
from diffusers.models.activations import GEGLU
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

aten = torch.ops.aten


class NormSilu(nn.GroupNorm):
    """SiLU(GroupNorm(x)): keeps x alone, where the two in a row keep x and the norm."""

    def forward(self, features: Tensor) -> Tensor:
        """Map B C ... to the same shape."""
        out: Tensor = _NormSilu.apply(features, self.weight, self.bias, self.num_groups, self.eps)  # type: ignore[no-untyped-call]
        return out


class Gate(GEGLU):
    """a * GELU(b) of one projection to both: keeps the projection alone."""

    def forward(self, features: Tensor) -> Tensor:
        """Map ... C to ... C'."""
        return gated(self.proj(features))


class LeanDropout(nn.Dropout):
    """Dropout that keeps a mask of bytes on every device (nn.Dropout keeps floats on the CPU)."""

    def forward(self, features: Tensor) -> Tensor:
        """Map any shape to itself."""
        if not self.training or self.p == 0:
            return features
        return torch.native_dropout(features, self.p, True)[0]


def gated(both: Tensor) -> Tensor:
    """Map a and b side by side, ... 2C, to a * GELU(b), ... C."""
    out: Tensor = _Gated.apply(both)  # type: ignore[no-untyped-call]
    return out


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        features, gate = both.chunk(2, dim=-1)
        return features * nn.functional.gelu(gate)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        features, gate = ctx.saved_tensors[0].chunk(2, dim=-1)
        return torch.cat([grad * nn.functional.gelu(gate), aten.gelu_backward(grad * features, gate)], dim=-1)


class _NormSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, num_groups: int, eps: float) -> Tensor:
        ctx.save_for_backward(features, weight, bias)
        ctx.num_groups, ctx.eps = num_groups, eps
        normed = _group_norm(features, weight, bias, num_groups, eps)[1]
        return nn.functional.silu(normed).to(features.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias = ctx.saved_tensors
        wide, normed, mean, rstd = _group_norm(features, weight, bias, ctx.num_groups, ctx.eps)
        grad = aten.silu_backward(grad.to(normed.dtype), normed).contiguous()
        needed = list(ctx.needs_input_grad[:3])
        batch, channels = wide.shape[:2]
        size = wide[0, 0].numel()
        given = aten.native_group_norm_backward(
            grad, wide, mean, rstd, weight, batch, channels, size, ctx.num_groups, needed
        )
        to_features = given[0].to(features.dtype) if needed[0] else None
        return (to_features, *given[1:], None, None)


def _group_norm(features: Tensor, weight: Tensor, bias: Tensor, num_groups: int, eps: float) -> tuple[Tensor, ...]:
    """Return features in the weights' precision, their norm, and each group's mean and inverse deviation."""
    wide = features.to(weight.dtype).contiguous()
    batch, channels = wide.shape[:2]
    normed = torch.native_group_norm(wide, weight, bias, batch, channels, wide[0, 0].numel(), num_groups, eps)
    return (wide, *normed)

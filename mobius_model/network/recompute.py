"""Recompute: what a temporal layer saves for the backward pass, against what is computed once more.

`none` saves everything. `all` saves a layer's inputs only and runs it again. `cheap` runs norms, activations and
other element-wise work again and keeps what convolutions, products and attention gave: almost no arithmetic for about
half of the memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

Recompute = Callable[..., Tensor]

aten = torch.ops.aten
COSTLY = frozenset(
    {
        aten.convolution.default,
        aten.mm.default,
        aten.addmm.default,
        aten.bmm.default,
        aten._scaled_dot_product_flash_attention.default,
        aten._scaled_dot_product_flash_attention_for_cpu.default,
        aten._scaled_dot_product_efficient_attention.default,
        aten._scaled_dot_product_cudnn_attention.default,
    }
)


def _save_all(module: nn.Module, *inputs: Any) -> Tensor:
    out: Tensor = module(*inputs)
    return out


def _save_inputs(module: nn.Module, *inputs: Any) -> Tensor:
    out: Tensor = checkpoint(module, *inputs, use_reentrant=False)
    return out


def _save_costly(module: nn.Module, *inputs: Any) -> Tensor:
    contexts = partial(create_selective_checkpoint_contexts, _keep_costly)
    out: Tensor = checkpoint(module, *inputs, use_reentrant=False, context_fn=contexts)
    return out


def _keep_costly(context: Any, operation: Any, *args: Any, **kwargs: Any) -> CheckpointPolicy:
    return CheckpointPolicy.MUST_SAVE if operation in COSTLY else CheckpointPolicy.PREFER_RECOMPUTE


RECOMPUTE: dict[str, Recompute] = {"none": _save_all, "cheap": _save_costly, "all": _save_inputs}

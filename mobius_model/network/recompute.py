"""Recompute: what a temporal layer keeps for the backward pass, against what is computed once more there.

A step that is run again is cut so that its last operation is a convolution or product: torch's checkpoint stops as
soon as what the backward pass needs is there again, so that operation is not computed twice. Cut finely, only norms
and activations run again, at no arithmetic that counts; cut coarsely, hardly anything is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Cut = Literal["none", "steps", "layer"]


@dataclass(frozen=True, slots=True)
class Recompute:
    """How TC and TA (`convolutions`, `attention`) are cut: not at all, into their steps, or as a whole."""

    convolutions: Cut = "none"
    attention: Cut = "none"

    def __call__(self, module: nn.Module, *inputs: Any) -> Tensor:
        """Run a temporal layer; one that cannot be cut keeps its inputs only where all the others do."""
        if isinstance(module, Cuttable):
            out: Tensor = module(*inputs, self)
        elif self.convolutions == "layer":
            out = again(module, *inputs)
        else:
            out = module(*inputs)
        return out


class Cuttable:
    """Marks a layer whose forward takes a Recompute as its last argument."""


def again(function: Callable[..., Tensor], *inputs: Any) -> Tensor:
    """Run a function, keep its inputs, and run it again when the backward pass comes."""
    out: Tensor = checkpoint(function, *inputs, use_reentrant=False)
    return out


def once(function: Callable[..., Tensor], *inputs: Any) -> Tensor:
    """Run a function and keep all that its backward pass needs."""
    return function(*inputs)


RECOMPUTE: dict[str, Recompute] = {
    "none": Recompute(),
    "cheap": Recompute(convolutions="steps", attention="steps"),  # norms and activations again, all products kept
    "attention": Recompute(convolutions="steps", attention="layer"),  # TA again, what TC's convolutions gave is kept
    "all": Recompute(convolutions="layer", attention="layer"),
}
NOTHING_AGAIN = RECOMPUTE["none"]

"""States: the two of the parallel mode, watched -> how large t has grown beside h."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mobius_model.network.unet import MobiusUNet


class StateSizes:
    """Sums of the mean squares of h and t where they are fused; those of several ranks may be added."""

    def __init__(self) -> None:
        self.squares = torch.zeros(2, dtype=torch.float64)

    def see(self, h: Tensor, t: Tensor) -> None:
        """Add one pass through the network; h and t N C H W, t may be narrower."""
        self.squares += torch.stack([each.double().square().mean().cpu() for each in (h, t)])


def t_over_h(squares: Tensor) -> float | None:
    """Return the root mean square of t over that of h; None where nothing was seen."""
    h, t = squares
    return float((t / h).sqrt().float()) if h else None  # in float64 the order of ranks would show


@contextlib.contextmanager
def states_watched(unet: nn.Module) -> Iterator[StateSizes]:
    """Watch a network for as long as the context lasts; sees nothing of the other modes."""
    sizes = StateSizes()
    if not isinstance(unet, MobiusUNet) or unet.config.mode != "parallel":
        yield sizes
        return

    def hook(module: nn.Module, states: Any) -> None:
        sizes.see(*states)

    handle = unet.fuse.register_forward_pre_hook(hook)
    try:
        yield sizes
    finally:
        handle.remove()

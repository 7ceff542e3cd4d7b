"""States: the two of the parallel mode, watched -> how large t has grown beside h."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mobius_model.network.unet import MobiusUNet


class StateSizes:
    """Sums of squares of h and t where they are fused."""

    def __init__(self) -> None:
        self._squares = torch.zeros(2, dtype=torch.float64)

    def see(self, h: Tensor, t: Tensor) -> None:
        """Add one pass through the network; h and t N C H W, t may be narrower."""
        self._squares += torch.stack([each.double().square().mean().cpu() for each in (h, t)])

    @property
    def t_over_h(self) -> float | None:
        """Root mean square of t over that of h; None where nothing was seen."""
        h, t = self._squares.tolist()
        return math.sqrt(t / h) if h else None


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

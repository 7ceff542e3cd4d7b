"""Guards: what would silently spoil a run -> an error at its first step."""

import contextlib
import math
from collections.abc import Container, Iterator
from typing import Any

from torch import Tensor, nn

from mobius_model.network.unet import HEAD, MobiusUNet
from schemas.errors import GradientLeak, TrainingDiverged


def check_h_is_frozen(unet: nn.Module) -> None:
    """Raise GradientLeak if a weight of the parallel mode's frozen branch is to be trained."""
    if not isinstance(unet, MobiusUNet) or unet.config.mode != "parallel":
        return
    heads = tuple(f"spatial.{name}." for name in HEAD)
    for name, weight in unet.named_parameters():
        if weight.requires_grad and name.startswith("spatial.") and not name.startswith(heads):
            raise GradientLeak(f"{name} feeds h and is to be trained: in the parallel mode nothing that feeds h may be")


@contextlib.contextmanager
def h_watched(unet: nn.Module) -> Iterator[None]:
    """Raise GradientLeak if a layer of h computes anything that has a graph, whatever made it so."""
    if not isinstance(unet, MobiusUNet) or unet.config.mode != "parallel":
        yield
        return

    def check(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, Tensor) and first.requires_grad:
                raise GradientLeak(f"spatial.{name}: something trainable feeds h, its output has a gradient")

        return hook

    watched = {"conv_in": unet.spatial.conv_in, "time_embedding": unet.spatial.time_embedding}
    for name, module in unet.spatial.named_modules():
        if type(module).__name__ in ("ResnetBlock2D", "Transformer2DModel"):
            watched[name] = module
    handles = [module.register_forward_hook(check(name)) for name, module in watched.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def check_gradients(unet: nn.Module, trained: Container[str]) -> None:
    """Raise GradientLeak if a frozen weight got a gradient, or if nothing got one."""
    for name, weight in unet.named_parameters():
        if weight.grad is not None and name not in trained:
            raise GradientLeak(f"{name} is frozen and got a gradient")
    if all(weight.grad is None for weight in unet.parameters()):
        raise GradientLeak("no weight got a gradient: nothing would be trained")


def check_finite(step: int, what: str, number: float) -> None:
    """Raise TrainingDiverged for a loss, or a norm of the gradient, that is no number."""
    if not math.isfinite(number):
        raise TrainingDiverged(
            f"step {step}: the {what} is {number}; train again into another output, with a lower "
            "optimizer.learning_rate, more schedule.warmup_steps or another loop.precision"
        )

"""Counting: a network and the shape of its clips -> what one training step computes and keeps, without any weights.

Everything runs on fake tensors: shapes and precisions are real, numbers are not there. So a network of any size is
counted in seconds on any machine. Autocast is the CPU's; a GPU's keeps norms in float32 and so saves more. Counted
are the tensors that PyTorch makes: what lies inside a kernel (workspaces, transient copies), the allocator's losses
and the CUDA context are not.
"""

import contextlib
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipShape:
    """Shape of one micro-batch: B clips of F frames of C H W latents (a square), L tokens of width D."""

    batch_size: int
    num_frames: int
    latent_channels: int
    latent_size: int
    num_tokens: int
    text_width: int


@dataclass(frozen=True, slots=True)
class Work:
    """FLOP, two per multiplication and addition: of convolutions and matrix products, and of attention kernels.

    PyTorch's own counter knows attention kernels of GPUs only; on a CPU it leaves `attention` out without a word.
    """

    products: int = 0
    attention: int = 0

    @property
    def flop(self) -> int:
        """Both together; norms and other element-wise work are not counted."""
        return self.products + self.attention


@dataclass(frozen=True, slots=True)
class StepCount:
    """One forward and backward pass of one micro-batch.

    saved_bytes: held between the two passes, beyond weights and inputs; under autocast also the weights' copies in
    lower precision. backward: with what is recomputed in it. peak_bytes: the most there is at once, beyond weights;
    gradients, inputs and what is recomputed are part of it.
    """

    parameters: int
    trainable: int
    weight_bytes: int
    gradient_bytes: int
    saved_bytes: int
    peak_bytes: int
    forward: Work
    backward: Work


def count_step(
    build: Callable[[], nn.Module],
    shape: ClipShape,
    *,
    autocast: torch.dtype | None = None,
    gradients_exist: bool = False,
) -> StepCount:
    """Count one training step of the network that `build` makes.

    The network takes latents (B C F H W; B C H W if it is a 2D UNet), timesteps (B) and text (B L D).
    autocast: precision of products. gradients_exist: those of an earlier micro-batch are still there.
    """
    with FakeTensorMode(), _quiet():
        model = build().train()
        weights = list(model.parameters())
        trained = [weight for weight in weights if weight.requires_grad]
        meter = _Meter(weights)
        with meter:
            if gradients_exist:
                for weight in trained:
                    weight.grad = torch.zeros_like(weight)
            inputs, noise = _inputs(model, shape)
            before = meter.live_bytes
            with _autocast(autocast):
                noise_pred = model(*inputs).sample
            saved_bytes = meter.live_bytes - before - noise_pred.untyped_storage().nbytes()
            forward = meter.take()
            loss = nn.functional.mse_loss(noise_pred.float(), noise)
            loss.backward()  # type: ignore[no-untyped-call]
        return StepCount(
            parameters=sum(weight.numel() for weight in weights),
            trainable=sum(weight.numel() for weight in trained),
            weight_bytes=_size_bytes(weights),
            gradient_bytes=_size_bytes(trained),
            saved_bytes=saved_bytes,
            peak_bytes=meter.peak_bytes,
            forward=forward,
            backward=meter.take(),
        )


def count_parameters(build: Callable[[], nn.Module]) -> int:
    """Count the weights of any model without making them."""
    with FakeTensorMode(), _quiet():
        return sum(weight.numel() for weight in build().parameters())


def _inputs(model: nn.Module, shape: ClipShape) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    time = () if type(model).__name__ == "UNet2DConditionModel" else (shape.num_frames,)
    latents = torch.zeros(shape.batch_size, shape.latent_channels, *time, shape.latent_size, shape.latent_size)
    timesteps = torch.zeros(shape.batch_size, dtype=torch.long)
    text = torch.zeros(shape.batch_size, shape.num_tokens, shape.text_width)
    return (latents, timesteps, text), torch.zeros_like(latents)


def _size_bytes(weights: Iterable[Tensor]) -> int:
    return sum(weight.numel() * weight.element_size() for weight in weights)


def _autocast(dtype: torch.dtype | None) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext() if dtype is None else torch.autocast("cpu", dtype)


@contextlib.contextmanager
def _quiet() -> Any:
    """Leave the random state of the process alone: initialising fake weights draws from it."""
    with torch.random.fork_rng(devices=[]):
        yield


class _Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts FLOP of every operation, and bytes of every storage from its making to its end."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live_bytes = self.peak_bytes = 0
        self._products = self._attention = 0
        self._weights = {weight.untyped_storage()._cdata for weight in weights}
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        operation = func._overloadpacket
        if operation in ATTENTION:
            self._attention += ATTENTION[operation](*args, **kwargs, out_val=out)
        elif operation in PRODUCTS:
            self._products += PRODUCTS[operation](*args, **kwargs, out_val=out)
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._note(leaf.untyped_storage())
        return out

    def take(self) -> Work:
        """Return the work since the last call."""
        work = Work(self._products, self._attention)
        self._products = self._attention = 0
        return work

    def _note(self, storage: torch.UntypedStorage) -> None:
        identity, size_bytes = storage._cdata, storage.nbytes()
        if identity in self._known or identity in self._weights:
            return
        self._known.add(identity)
        self.live_bytes += size_bytes
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        weakref.finalize(storage, self._forget, identity, size_bytes)

    def _forget(self, identity: int, size_bytes: int) -> None:
        self._known.discard(identity)
        self.live_bytes -= size_bytes


def _attention_flop(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> int:
    count: int = sdpa_flop_count(query.shape, key.shape, value.shape)  # type: ignore[no-untyped-call]
    return count


def _attention_backward_flop(grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> int:
    shapes = (grad.shape, query.shape, key.shape, value.shape)
    count: int = sdpa_backward_flop_count(*shapes)  # type: ignore[no-untyped-call]
    return count


def _convolution_backward_flop(*args: Any, **kwargs: Any) -> int:
    """Count what PyTorch's own counter does, but for convolutions in groups: it takes them for full ones."""
    grad, features, weight, _bias, _stride, _padding, _dilation, transposed, _out_padding, _groups, wanted = args
    once: int = conv_flop_count(features.shape, weight.shape, grad.shape, transposed=transposed)
    return once * (int(wanted[0]) + int(wanted[1]))


PRODUCTS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    aten.convolution_backward: _convolution_backward_flop,
}
ATTENTION: dict[Any, Callable[..., int]] = {
    **{operation: count for operation, count in flop_registry.items() if "attention" in str(operation)},
    aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flop,
}

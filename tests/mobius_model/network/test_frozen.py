"""Frozen samplers against diffusers' own: the same pixels, the same gradient, nothing kept but the weight."""

import pytest
import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from mobius_model.network import frozen
from mobius_model.network.frozen import resampled_by_frozen


@pytest.mark.parametrize("size", [(10, 6), (9, 5)])
def test_going_up_is_diffusers_sampler(size: tuple[int, int]) -> None:
    check(Upsample2D(4, use_conv=True), torch.Size(size), {"output_size": size})


@pytest.mark.parametrize("padding", [0, 1])
def test_going_down_is_diffusers_sampler(padding: int) -> None:
    check(Downsample2D(4, use_conv=True, padding=padding, name="op"), torch.Size((2, 1)), {})


def check(module: nn.Module, size: torch.Size, options: dict[str, tuple[int, int]]) -> None:
    module.requires_grad_(False)
    given = torch.randn(2, 4, 5, 3)
    theirs, ours = given.clone().requires_grad_(), given.clone().requires_grad_()
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = resampled_by_frozen(module, ours, size)
    expected = module(theirs, **options)
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(out)
    out.backward(grad)
    expected.backward(grad)
    torch.testing.assert_close(ours.grad, theirs.grad)
    assert {each.untyped_storage().data_ptr() for each in kept} == {module.conv.weight.untyped_storage().data_ptr()}


def test_a_sampler_in_half_precision_leaves_t_in_its_own() -> None:
    module = Upsample2D(4, use_conv=True).to(torch.bfloat16).requires_grad_(False)
    t = torch.randn(1, 4, 2, 2, requires_grad=True)
    out = resampled_by_frozen(module, t, torch.Size((4, 4)))
    out.sum().backward()
    assert out.dtype == t.grad.dtype == torch.float32


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("size", [(10, 6), (9, 5), None])
def test_gradients_are_those_of_diffusers_sampler(size: tuple[int, int] | None, autocast: bool) -> None:
    torch.manual_seed(0)
    module = Downsample2D(4, use_conv=True, name="op") if size is None else Upsample2D(4, use_conv=True)
    module.requires_grad_(False)
    theirs = torch.randn(2, 4, 5, 3, requires_grad=True)
    ours = theirs.detach().clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        expected = module(theirs) if size is None else module(theirs, output_size=size)
        out = resampled_by_frozen(module, ours, expected.shape[-2:])
    grad = torch.randn(out.shape).to(expected.dtype)
    out.backward(grad.to(out.dtype))
    expected.backward(grad)
    assert ours.grad is not None
    close = {"rtol": 2e-2, "atol": 2e-2} if autocast else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(ours.grad, theirs.grad, **close)


def test_the_backward_pass_computes_in_the_precision_of_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[torch.dtype, torch.dtype]] = []
    plain = frozen.conv2d_input

    def noted(shape: torch.Size, weight: Tensor, grad: Tensor, **how: object) -> Tensor:
        seen.append((weight.dtype, grad.dtype))
        return plain(shape, weight, grad, **how)

    monkeypatch.setattr(frozen, "conv2d_input", noted)
    t = torch.randn(1, 4, 4, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        out = resampled_by_frozen(
            Downsample2D(4, use_conv=True, name="op").requires_grad_(False), t, torch.Size((2, 2))
        )
    out.sum().backward()
    assert seen == [(torch.bfloat16, torch.bfloat16)]
    assert t.grad is not None
    assert t.grad.dtype == torch.float32

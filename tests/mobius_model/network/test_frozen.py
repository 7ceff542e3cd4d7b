"""Frozen samplers against diffusers' own: the same pixels, the same gradient, nothing kept but the weight."""

import pytest
import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

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

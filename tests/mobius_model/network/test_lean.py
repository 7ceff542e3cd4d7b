"""Lean layers against the plain ones: the same numbers, the same gradients, less kept."""

from collections.abc import Callable

import pytest
import torch
from diffusers.models.activations import GEGLU
from torch import Tensor, nn

from mobius_model.network.lean import Gate, LeanDropout, NormSilu
from tests.mobius_model.network.nets import saved_beside


def norm_silu() -> tuple[nn.Module, nn.Module, Tensor]:
    lean = NormSilu(4, 8)
    nn.init.normal_(lean.weight)
    plain_norm = nn.GroupNorm(4, 8)
    plain_norm.load_state_dict(lean.state_dict())
    # over time, as TC reads it: not contiguous
    return lean, nn.Sequential(plain_norm, nn.SiLU()), torch.randn(2, 3, 8, 5, 5).transpose(1, 2)


def gate() -> tuple[nn.Module, nn.Module, Tensor]:
    lean, plain = Gate(8, 12), GEGLU(8, 12)
    plain.load_state_dict(lean.state_dict())
    return lean, plain, torch.randn(6, 3, 8)


def kept_and_gradients(layer: nn.Module, given: Tensor) -> tuple[Tensor, list[Tensor], int]:
    """Return what a layer gives, all gradients, and the bytes kept beside its weights and its input."""
    given = given.clone().requires_grad_()
    with saved_beside([given, *layer.parameters()]) as kept:
        out = layer(given)
    out.square().sum().backward()
    gradients = [p.grad for p in [given, *layer.parameters()] if p.grad is not None]
    return out.detach(), gradients, sum(kept.values())


@pytest.mark.parametrize("make", [norm_silu, gate])
def test_a_lean_layer_says_and_learns_what_the_plain_one_does_and_keeps_less(
    make: Callable[[], tuple[nn.Module, nn.Module, Tensor]],
) -> None:
    torch.manual_seed(0)
    lean, plain, given = make()
    said, learnt, kept = kept_and_gradients(lean, given)
    said_plainly, learnt_plainly, kept_plainly = kept_and_gradients(plain, given)
    assert torch.equal(said, said_plainly)
    for one, other in zip(learnt, learnt_plainly, strict=True):
        torch.testing.assert_close(one, other)
    assert kept < kept_plainly


def test_dropout_keeps_a_byte_per_number_and_drops_nothing_in_eval() -> None:
    dropout, given = LeanDropout(0.5), torch.ones(64, 64)
    _, gradients, kept = kept_and_gradients(nn.Sequential(dropout), given)
    assert kept == 64 * 64
    assert set(gradients[0].unique().tolist()) == {0.0, 8.0}
    assert dropout.eval()(given) is given


def test_a_norm_in_full_precision_takes_features_in_half() -> None:
    layer, given = NormSilu(4, 8), torch.randn(2, 8, 5, dtype=torch.bfloat16, requires_grad=True)
    out = layer(given)
    out.sum().backward()
    assert out.dtype == given.grad.dtype == torch.bfloat16
    assert layer.weight.grad.dtype == torch.float32

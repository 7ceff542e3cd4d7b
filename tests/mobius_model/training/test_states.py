"""How large t is beside h, where both are fused."""

import pytest
import torch

from mobius_model.network.unet import MobiusUNet
from mobius_model.training.states import states_watched, t_over_h
from tests.mobius_model.network.nets import awakened, inputs, unet2d


def test_the_ratio_is_that_of_what_the_fusion_reads():
    model = awakened(MobiusUNet.from_unet2d(unet2d())).eval()
    seen = []
    handle = model.fuse.register_forward_pre_hook(lambda module, states: seen.append(states))
    with torch.no_grad(), states_watched(model) as sizes:
        model(*inputs())
        model(*inputs(batch=1))
    handle.remove()
    h, t = (sum(float(states[which].double().square().mean()) for states in seen) for which in (0, 1))
    assert t_over_h(sizes.squares) == pytest.approx((t / h) ** 0.5, rel=1e-6)
    assert not model.fuse._forward_pre_hooks


def test_one_state_has_no_ratio():
    model = MobiusUNet.from_unet2d(unet2d(), mode="serial").eval()
    with torch.no_grad(), states_watched(model) as sizes:
        model(*inputs())
    assert t_over_h(sizes.squares) is None

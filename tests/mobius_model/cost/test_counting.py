"""Counting at the full size, Stable Diffusion 2.1: the figures known of diffusers' classes, and what parallel saves."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.counting import GIB, SD_UNET, TERA, count
from mobius_model.cost.counting import ClipShape, count_parameters, count_step
from mobius_model.network.unet import HEAD, MobiusUNet
from tests.mobius_model.network.nets import TEXT_WIDTH, inputs, saved_beside, unet2d

TINY_CLIPS = ClipShape(
    batch_size=2, num_frames=3, latent_channels=4, latent_size=8, num_tokens=5, text_width=TEXT_WIDTH
)


def flop(name: str) -> int:
    """FLOP of a step, with attention and what is recomputed."""
    return count(name).forward.flop + count(name).backward.flop


@pytest.mark.parametrize(
    ("name", "saved_gib", "forward_tera", "backward_tera"),
    [("full", 16.45, 4.74, 9.42), ("serial", 14.89, 4.74, 6.66), ("serial checkpointed", 1.00, 4.74, 10.61)],
)
def test_the_table_of_the_design_comes_out_for_diffusers(
    name: str, saved_gib: float, forward_tera: float, backward_tera: float
) -> None:
    counted = count(name)
    assert counted.saved_bytes / GIB == pytest.approx(saved_gib, abs=0.01)
    assert counted.forward.products / TERA == pytest.approx(forward_tera, abs=0.005)  # the table has no attention
    assert counted.backward.products / TERA == pytest.approx(backward_tera, abs=0.005)
    assert counted.forward.attention > 0


def test_parameters_are_exact() -> None:
    assert count_parameters(lambda: UNet2DConditionModel(**SD_UNET)) == 865_910_724
    assert count("serial").parameters == count("our serial").parameters == 1_411_233_860
    assert count("serial").trainable == count("our serial").trainable == 545_323_136


def test_parameters_of_the_vae_are_exact() -> None:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    widths = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4}
    assert count_parameters(lambda: AutoencoderKL(**blocks, **widths)) == 83_653_863


def test_parallel_saves_activations_and_arithmetic_against_plain_serial() -> None:
    assert count("parallel").saved_bytes <= 0.60 * count("serial").saved_bytes
    assert count("parallel").saved_bytes < 8.64 * GIB  # the prototype's
    assert flop("parallel") <= 0.85 * flop("serial")


def test_parallel_with_temporal_layers_run_again_keeps_a_tenth_of_plain_serial_at_no_more_arithmetic() -> None:
    assert count("parallel all").saved_bytes <= 0.10 * count("serial").saved_bytes
    assert count("parallel all").saved_bytes < 0.91 * GIB  # the prototype's
    assert flop("parallel all") <= flop("serial")


def test_parallel_with_temporal_layers_run_again_needs_less_than_checkpointed_serial_of_both() -> None:
    assert count("parallel all").saved_bytes <= count("serial checkpointed").saved_bytes
    assert flop("parallel all") <= 0.75 * flop("serial checkpointed")


def test_norms_and_activations_again_cost_no_arithmetic_and_free_a_third() -> None:
    assert flop("parallel cheap") == flop("parallel")
    assert count("parallel cheap").saved_bytes <= 0.70 * count("parallel").saved_bytes


def test_attention_again_lies_between_cheap_and_all() -> None:
    points = [count(f"parallel {name}").saved_bytes for name in ("cheap", "attention", "all")]
    assert points == sorted(points, reverse=True)
    assert flop("parallel") < flop("parallel attention") < flop("parallel all")
    assert flop("parallel attention") <= 0.95 * flop("serial")


def real_step(model: nn.Module) -> tuple[int, int, int]:
    """Return bytes that a real forward pass hands over to the backward pass, and the FLOP of products of each."""
    latents, timesteps, text = inputs()
    beside = saved_beside([*model.parameters(), latents, timesteps, text])
    with FlopCounterMode(display=False) as forward, beside as saved:
        noise_pred = model(latents, timesteps, text).sample
    with FlopCounterMode(display=False) as backward:
        noise_pred.square().mean().backward()
    return sum(saved.values()), forward.get_total_flops(), backward.get_total_flops()


@pytest.mark.parametrize("mode", ["parallel", "serial"])
def test_counted_is_what_really_happens(mode: Any) -> None:
    saved_bytes, forward_flop, backward_flop = real_step(MobiusUNet.from_unet2d(unet2d(), mode=mode).train())
    counted = count_step(lambda: MobiusUNet.from_unet2d(unet2d(), mode=mode), TINY_CLIPS)
    assert counted.saved_bytes == pytest.approx(saved_bytes, rel=0.02)
    assert counted.forward.products == forward_flop
    if mode == "serial":  # in the parallel mode PyTorch's counter takes convolutions in groups for full ones
        assert counted.backward.products == backward_flop


class Grouped(nn.Module):
    """A network of one convolution per channel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(4, 4, (1, 3, 3), padding=(0, 1, 1), groups=4)

    def forward(self, latents: Tensor, timesteps: Tensor, text: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=self.conv(latents))


def test_convolutions_in_groups_are_no_full_ones() -> None:
    counted = count_step(Grouped, TINY_CLIPS)
    assert counted.forward.flop == 2 * (2 * 4 * 3 * 8 * 8) * 9
    assert counted.backward.flop == counted.forward.flop  # of the weight alone: nobody asks for the latents' gradient


def test_recomputing_is_counted_and_so_are_gradients_of_before() -> None:
    def build(recompute: str) -> MobiusUNet:
        model = MobiusUNet.from_unet2d(unet2d())
        model.set_recompute(recompute)
        return model

    plain, again = (count_step(partial(build, kind), TINY_CLIPS) for kind in ("none", "all"))
    assert again.forward == plain.forward
    assert again.backward.flop > plain.backward.flop
    assert again.saved_bytes < again.peak_bytes - again.gradient_bytes
    later = count_step(partial(build, "all"), TINY_CLIPS, gradients_exist=True)
    assert later.peak_bytes >= again.saved_bytes + later.gradient_bytes


def test_counting_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    count_parameters(lambda: nn.Linear(3, 3))
    assert torch.equal(torch.get_rng_state(), before)


class BornInH(TorchDispatchMode):
    """Remembers every storage made inside the frozen 2D UNet."""

    def __init__(self, model: MobiusUNet) -> None:
        super().__init__()
        self.depth = 0
        self.storages: dict[int, torch.UntypedStorage] = {}  # kept, so that no address comes twice
        for name, module in model.spatial.named_children():
            for part in [] if name in HEAD else [*module.modules()]:
                part.register_forward_pre_hook(lambda *_: self.move(1))
                part.register_forward_hook(lambda *_: self.move(-1))

    def move(self, by: int) -> None:
        self.depth += by

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if self.depth and not torch.is_grad_enabled():
            for each in out if isinstance(out, tuple | list) else [out]:
                if isinstance(each, Tensor):
                    self.storages[each.untyped_storage().data_ptr()] = each.untyped_storage()
        return out


@pytest.mark.parametrize("recompute", ["none", "cheap", "attention", "all"])
def test_nothing_of_h_is_saved_for_the_backward_pass_but_what_t_starts_from(recompute: str) -> None:
    model = MobiusUNet.from_unet2d(unet2d()).train()
    model.set_recompute(recompute)
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    ends: list[Tensor] = []  # what t starts from, and what the fusion reads
    model.spatial.conv_in.register_forward_hook(lambda _module, _given, out: ends.append(out))
    model.fuse.register_forward_pre_hook(lambda _module, given: ends.append(given[0]))
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with BornInH(model) as h, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(*inputs()).sample.square().mean().backward()
    assert len(h.storages) > 100
    of_h = (saved.keys() & h.storages.keys()) - weights
    assert of_h <= {end.untyped_storage().data_ptr() for end in ends}
    frozen = [weight for weight in model.spatial.parameters() if not weight.requires_grad]
    assert frozen
    assert all(weight.grad is None for weight in frozen)

"""MobiusUNet against diffusers' classes, against its own equations, and on what it keeps for the backward pass."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mobius_model.network.layout import Layer, walk
from mobius_model.network.unet import HEAD, MODES, MobiusUNet
from tests.mobius_model.network.nets import awakened, frame_by_frame, inputs, unet2d, unet3d

OPTIONS: list[dict[str, Any]] = [
    {},
    {"text_once_per_clip": False},
    {"fusion": "deep", "train_head": False},
    {"conv_residual": False, "attention_residual": False},
    {"temporal_resampling": "own"},
    {"temporal_mixing": True},
    {"temporal_positions": True},
    {"temporal_width": 0.5, "temporal_resampling": "own"},
    {"temporal_width": 0.25, "temporal_resampling": "pool"},
]


def is_of_h(name: str) -> bool:
    """True for weights of the 2D UNet that compute h; its output head reads both states."""
    return name.startswith("spatial.") and name.split(".")[1] not in HEAD


@pytest.mark.parametrize("text_once_per_clip", [False, True])
def test_serial_is_the_3d_unet_of_diffusers(text_once_per_clip: bool) -> None:
    theirs = unet3d()
    ours = MobiusUNet.from_unet3d(theirs, mode="serial", text_once_per_clip=text_once_per_clip).eval()
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    with torch.no_grad():
        difference = ours(*inputs()).sample - theirs(*inputs()).sample
    assert difference.abs().max() <= 1e-5


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_parallel_begins_as_the_2d_unet_frame_by_frame_to_the_bit(options: dict[str, Any]) -> None:
    unet = unet2d()
    parallel = MobiusUNet.from_unet2d(unet, **options).eval()
    with torch.no_grad():
        assert torch.equal(parallel(*inputs()).sample, frame_by_frame(unet, *inputs()))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_after_one_step_parallel_is_the_2d_unet_no_more_and_h_is_what_it_was(options: dict[str, Any]) -> None:
    unet = unet2d()
    parallel = MobiusUNet.from_unet2d(unet, **options).train()
    optimizer = torch.optim.AdamW([p for _, p in parallel.trainable_parameters()], 1e-2)
    parallel(*inputs()).sample.square().mean().backward()
    assert [name for name, p in parallel.named_parameters() if is_of_h(name) and p.grad is not None] == []
    optimizer.step()
    parallel.eval()
    with torch.no_grad():
        assert not torch.equal(parallel(*inputs()).sample, frame_by_frame(unet, *inputs()))
    before = unet.state_dict()
    now = parallel.spatial.state_dict()
    assert all(torch.equal(before[name], now[name]) for name in before if is_of_h(f"spatial.{name}"))


def test_every_temporal_weight_learns_once_the_zeros_are_gone() -> None:
    parallel = awakened(MobiusUNet.from_unet2d(unet2d()))
    parallel(*inputs()).sample.square().mean().backward()
    assert [name for name, p in parallel.trainable_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_trains_its_own_weights(mode: Any) -> None:
    model = MobiusUNet.from_unet2d(unet2d(), mode=mode)
    trained = {name for name, _ in model.trainable_parameters()}
    of_h = {name for name, _ in model.named_parameters() if is_of_h(name)}
    assert trained.isdisjoint(of_h) == (mode != "full")
    assert any(name.startswith("temporal.") for name in trained)


@pytest.mark.parametrize("mixes", [False, True])
def test_parallel_layer_is_equations_8_and_9(mixes: bool) -> None:
    """s = SC(h), h' = SA(s), t' = h' + TA(s + TC(t)), written out with plain tensors for every layer."""
    parallel = awakened(MobiusUNet.from_unet2d(unet2d(), text_once_per_clip=False, temporal_mixing=mixes)).eval()
    latents, timesteps, text = inputs()
    seen: list[tuple[Tensor, ...]] = []
    for layer in parallel.temporal.values():
        layer.register_forward_hook(lambda _, given, out: seen.append((*given[:3], out)))
    with torch.no_grad():
        parallel(latents, timesteps, text)
        spatial = parallel.spatial
        temb = spatial.time_embedding(spatial.time_proj(timesteps.repeat_interleave(3)))
        text = text.repeat_interleave(3, 0)
        h = spatial.conv_in(latents.transpose(1, 2).flatten(0, 1))
        t = parallel.transformer_in(h, 3)
        skips = [(h, t)]
        given = iter(seen)
        for place in walk(spatial):
            if not isinstance(place, Layer):
                h, t = place.module(h), place.module(t)
            else:
                if place.pops_skip:
                    h_skip, t_skip = skips.pop()
                    h, t = torch.cat([h, h_skip], 1), torch.cat([t, t_skip], 1)
                layer = parallel.temporal[place.name]
                s = place.resnet(h, temb)
                conv = plain_bridge(layer.bridge, t)
                conv = plain_temporal_conv(layer.conv, plain_mix(layer.mix, conv) if mixes else conv)
                if place.attention is None:
                    h, t = s, s + conv
                else:
                    h = place.attention(s, encoder_hidden_states=text).sample
                    t = h + plain_temporal_attention(layer.attention, s + conv)
                torch.testing.assert_close(next(given)[3], t, atol=1e-5, rtol=1e-5)
            if place.pushes_skip:
                skips.append((h, t))
    assert skips == []
    assert len(seen) == len(parallel.temporal)


def plain_mix(mix: Any, features: Tensor) -> Tensor:
    """What is around every pixel, channel by channel, as a sum over nine shifted pictures."""
    height, width = features.shape[-2:]
    padded = nn.functional.pad(features, (1, 1, 1, 1))
    around = sum(
        mix.conv.weight[:, 0, y, x, None, None] * padded[..., y : y + height, x : x + width]
        for y in range(3)
        for x in range(3)
    )
    return features + around + mix.conv.bias[:, None, None]


def plain_temporal_conv(conv: Any, features: Tensor) -> Tensor:
    """TC of 3-frame clips as a sum over neighbouring frames: no 3D convolution."""
    clips = features.unflatten(0, (-1, 3))
    out = clips
    for stack in (conv.conv1, conv.conv2, conv.conv3, conv.conv4):
        norm, last = stack[0], stack[-1]
        grouped = out.unflatten(2, (norm.num_groups, -1))
        mean, variance = grouped.mean((1, 3, 4, 5), True), grouped.var((1, 3, 4, 5), False, keepdim=True)
        out = ((grouped - mean) / (variance + norm.eps).sqrt()).flatten(2, 3)
        out = nn.functional.silu(out * norm.weight[:, None, None] + norm.bias[:, None, None])
        padded = nn.functional.pad(out, (0, 0, 0, 0, 0, 0, 1, 1))
        taps = last.weight[..., 0, 0].unbind(2)
        out = sum(torch.einsum("oc,bfchw->bfohw", tap, padded[:, k : k + 3]) for k, tap in enumerate(taps))
        out = out + last.bias[:, None, None]
    return (clips + out).flatten(0, 1)


def plain_bridge(bridge: Any, joined: Tensor) -> Tensor:
    """t, where its width differs through a matrix, plus its skip through a matrix."""
    num_t = joined.shape[1] - (bridge.skip.in_channels if bridge.skip is not None else 0)
    parts = [joined[:, :num_t], joined[:, num_t:]]
    out = torch.zeros(())
    for features, narrow in zip(parts, (bridge.widen, bridge.skip), strict=True):
        if isinstance(narrow, nn.Conv2d):
            weight, bias = narrow.weight[..., 0, 0], narrow.bias[:, None, None]
            features = torch.einsum("oc,nchw->nohw", weight, features) + bias
        out = out + features if narrow is not None else out
    return out


def plain_temporal_attention(attention: Any, features: Tensor) -> Tensor:
    """TA of 3-frame clips pixel by pixel, with diffusers' own block."""
    clips = features.unflatten(0, (-1, 3))
    normed = attention.norm(clips.transpose(1, 2)).transpose(1, 2)
    out = torch.empty_like(clips)
    for row in range(clips.shape[3]):
        for column in range(clips.shape[4]):
            pixel = attention.proj_in(normed[:, :, :, row, column])
            out[:, :, :, row, column] = attention.proj_out(attention.transformer_blocks[0](pixel))
    return (clips + out).flatten(0, 1)


def test_attention_over_more_pixels_than_a_kernel_takes_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    parallel = awakened(MobiusUNet.from_unet2d(unet2d())).eval()
    with torch.no_grad():
        whole = parallel(*inputs()).sample
        monkeypatch.setattr("mobius_model.network.temporal.MAX_ATTENTION_BATCH", 50)
        torch.testing.assert_close(parallel(*inputs()).sample, whole)


@pytest.mark.parametrize("kind", ["cheap", "attention", "all"])
@pytest.mark.parametrize("mode", ["serial", "parallel"])
def test_recomputing_changes_no_gradient(mode: Any, kind: str) -> None:
    model = awakened(MobiusUNet.from_unet2d(unet2d(), mode=mode, temporal_dropout=0.0))
    gradients = []
    for each in ("none", kind):
        model.set_recompute(each)
        model.zero_grad()
        model(*inputs()).sample.square().mean().backward()
        gradients.append({name: p.grad.clone() for name, p in model.trainable_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


@pytest.mark.parametrize("mode", MODES)
def test_odd_sizes_come_back_as_they_went_in(mode: Any) -> None:
    model = MobiusUNet.from_unet2d(unet2d(), mode=mode).eval()
    with torch.no_grad():
        assert model(*inputs(size=7)).sample.shape == (2, 4, 3, 7, 7)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_saved_and_loaded_it_says_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    model = awakened(MobiusUNet.from_unet2d(unet2d(), **options)).eval()
    model.save_pretrained(tmp_path)
    loaded = MobiusUNet.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(loaded(*inputs()).sample, model(*inputs()).sample)
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ".safetensors"]


def test_parallel_takes_the_temporal_weights_of_a_3d_unet_where_they_fit() -> None:
    theirs = unet3d()
    parallel = MobiusUNet.from_unet3d(theirs, mode="parallel")
    assert torch.equal(
        parallel.temporal["down_0_1"].attention.proj_in.weight, theirs.down_blocks[0].temp_attentions[1].proj_in.weight
    )
    left = parallel.load_temporal({f"transformer_in.{k}": v for k, v in theirs.transformer_in.state_dict().items()})
    assert left == []


def test_a_2d_unet_takes_the_temporal_weights_of_a_3d_unet() -> None:
    theirs, unet = unet3d(), unet2d()
    ours = MobiusUNet.from_unet2d(unet, mode="serial", temporal=theirs)
    assert torch.equal(ours.transformer_in.proj_in.weight, theirs.transformer_in.proj_in.weight)
    assert torch.equal(ours.spatial.conv_in.weight, unet.conv_in.weight)
    assert ours.num_left_out == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "sideways"}, "mode = 'sideways': expected one of parallel, serial, full"),
        ({"fusion": "warm"}, "fusion = 'warm': expected one of linear, deep"),
        ({"temporal_width": 2}, "temporal_width = 2: expected more than 0 and at most 1"),
        ({"temporal_width": 0.5}, "the 2D UNet's samplers fit the full width only"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MobiusUNet.from_unet2d(unet2d(), **options)


def test_a_2d_unet_of_another_make_is_refused() -> None:
    with pytest.raises(ValueError, match="class_embed_type = 'timestep', expected none"):
        MobiusUNet.from_unet2d(unet2d(class_embed_type="timestep"))

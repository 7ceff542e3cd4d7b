"""Estimate: a config alone -> costs of every mode, from what is on this machine and the paper's shapes for the rest."""

import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import UNet3DConditionModel
from typer.testing import CliRunner

from flows.training_commands import commands
from mobius_model.cost.estimate import ModeEstimate, estimate
from mobius_model.cost.model_shapes import read_shapes
from mobius_model.network.unet import MobiusUNet
from mobius_model.training.config import TrainConfig
from schemas.errors import UserError
from tests.mobius_model.network.nets import unet2d, unet3d

ASKED = {
    "parameters",
    "trainable",
    "saved_activation_bytes",
    "forward_flop",
    "backward_flop",
    "optimizer_bytes",
    "peak_bytes",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder of config files: not one weight."""
    folder = tmp_path_factory.mktemp("base")
    unet = {key: value for key, value in unet2d().config.items() if not key.startswith("_")}
    write(folder / "unet/config.json", unet)
    write(folder / "vae/config.json", {"_class_name": "SpaceToDepth", "factor": 4, "latent_channels": 4})
    write(folder / "text_encoder/config.json", {"model_type": "clip_text_model", "hidden_size": 12})
    return folder


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def config(base: Path, *, init: str = "nowhere/at-all", **sections: dict[str, Any]) -> TrainConfig:
    values: dict[str, Any] = {
        "root": "no-root",
        "output": "no-output",
        "stage": "t2v",
        "init": init,
        "base": {"path": str(base)},
        "data": {"size": 32, "num_frames": 3},
        "loop": {"num_steps": 1, "batch_size": 2},
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section if isinstance(section, dict) else section
    return TrainConfig.model_validate(values)


def modes(base: Path, **sections: Any) -> dict[str, ModeEstimate]:
    return estimate(config(base, **sections)).modes


@pytest.fixture(scope="module")
def plain(base: Path) -> dict[str, ModeEstimate]:
    return modes(base)


def test_each_mode_costs_what_it_must(base: Path, plain: dict[str, ModeEstimate]) -> None:
    assert set(plain) == {"full", "serial", "parallel"}
    full, serial, parallel = plain["full"], plain["serial"], plain["parallel"]
    assert full.trainable == full.parameters == serial.parameters > serial.trainable
    assert parallel.saved_activation_bytes < serial.saved_activation_bytes < full.saved_activation_bytes
    assert parallel.backward_flop < serial.backward_flop < full.backward_flop
    assert serial.optimizer_bytes == 8 * serial.trainable
    for mode in plain.values():
        assert mode.peak_bytes > 4 * mode.parameters + 12 * mode.trainable + mode.saved_activation_bytes
    assert parallel.trainable == sum(p.numel() for _, p in MobiusUNet.from_unet2d(unet2d()).trainable_parameters())


def test_options_of_the_run_count(base: Path, plain: dict[str, ModeEstimate]) -> None:
    changed = modes(
        base,
        loop={"recompute": "all", "accumulation": 2, "precision": "bf16", "spatial_precision": "bf16"},
        optimizer={"name": "adamw_8bit"},
        network={"temporal_width": 0.5, "temporal_resampling": "own"},
    )
    for name in ("serial", "full"):
        assert changed[name].forward_flop == 2 * plain[name].forward_flop
        assert changed[name].backward_flop > 2 * plain[name].backward_flop
        assert changed[name].saved_activation_bytes < plain[name].saved_activation_bytes
        assert changed[name].optimizer_bytes < 0.3 * plain[name].optimizer_bytes
    assert changed["parallel"].trainable < 0.5 * plain["parallel"].trainable


def test_a_stage_of_pictures_has_one_network(base: Path) -> None:
    counted = modes(base, stage="t2i", init=None)
    assert set(counted) == {"unet2d"}
    assert counted["unet2d"].parameters == sum(p.numel() for p in unet2d().parameters())


def test_shapes_come_from_the_files_of_the_base(base: Path) -> None:
    shapes = read_shapes(config(base))
    assert (shapes.clip.latent_size, shapes.clip.latent_channels, shapes.clip.text_width) == (8, 4, 12)
    assert shapes.clip.num_tokens == 77
    assert shapes.unet2d["block_out_channels"] == [16, 32]
    assert shapes.assumed == ("init = 'nowhere/at-all' is not on this machine: a 2D UNet of the base's shape",)


@pytest.mark.parametrize("kind", ["2d", "mobius", "3d"])
def test_shapes_come_from_the_model_to_start_from(base: Path, tmp_path: Path, kind: str) -> None:
    made = {"2d": unet2d, "mobius": lambda: MobiusUNet.from_unet2d(unet2d()), "3d": unet3d}[kind]()
    if isinstance(made, UNet3DConditionModel):
        made.register_to_config(attention_head_dim=4)
    made.save_config(tmp_path / "unet")
    shapes = read_shapes(config(base, init=str(tmp_path)))
    assert tuple(shapes.unet2d["block_out_channels"]) == (16, 32)
    assert shapes.assumed == ()


def test_without_any_file_it_is_the_paper() -> None:
    shapes = read_shapes(config(Path("owner/nothing"), data={"size": 256, "num_frames": 8}))
    assert tuple(shapes.unet2d["block_out_channels"]) == (320, 640, 1280, 1280)
    assert (shapes.clip.latent_size, shapes.clip.text_width, shapes.clip.num_tokens) == (32, 1024, 52)
    assert len(shapes.assumed) == 4


def test_options_that_exclude_each_other_are_named(base: Path) -> None:
    with pytest.raises(UserError, match=r"network: temporal_width = 0.5 with temporal_resampling = 'spatial'"):
        modes(base, network={"temporal_width": 0.5})


def test_a_size_the_vae_cannot_divide_is_named(base: Path) -> None:
    write(base.parent / "odd/vae/config.json", {"factor": 16, "latent_channels": 4})
    with pytest.raises(UserError, match=r"data.size = 40: the VAE divides by 16"):
        read_shapes(config(base.parent / "odd", data={"size": 40}))


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_says_it_in_words_and_in_json(base: Path, tmp_path: Path, as_json: bool) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        f'root = "r"\noutput = "o"\nstage = "t2i"\n[base]\npath = "{base}"\n[data]\nsize = 32\n[loop]\nnum_steps = 1\n'
    )
    result = CliRunner().invoke(commands, ["estimate", str(file), *(["--json"] if as_json else [])])
    assert result.exit_code == 0, result.output
    if as_json:
        assert set(json.loads(result.output)["modes"]["unet2d"]) == ASKED
    else:
        assert "peak memory" in result.output

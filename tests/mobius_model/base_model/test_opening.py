"""Base models are opened from this machine only, whole or not at all, and every mistake is one sentence."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from mobius_model.base_model.opening import BaseConfig, open_base
from schemas.errors import UserError
from tests.mobius_model.tiny_models import change_json, save_chinese_clip, save_stable_diffusion_text, save_vae


@pytest.fixture
def copied(base_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_folder, tmp_path / "base"))


def _refused(folder: Path, message: str, **parts: str) -> None:
    with pytest.raises(UserError, match=message):
        open_base(BaseConfig(path=str(folder), **parts))


def test_parts_one_by_one_are_the_papers_base(tmp_path: Path):
    vae = save_vae(tmp_path / "vae")
    save_chinese_clip(tmp_path / "clip")
    base = open_base(BaseConfig(vae=str(tmp_path / "vae"), text_encoder=str(tmp_path / "clip"), max_tokens=52))
    assert torch.equal(base.vae.encoder.conv_in.weight, vae.encoder.conv_in.weight)
    assert (base.downscale, base.latent_channels, base.text.width) == (4, 4, 32)
    assert base.unet_config["cross_attention_dim"] == 32
    assert base.unet_config["block_out_channels"] == (320, 640, 1280, 1280)
    assert not base.vae.training
    assert not any(weight.requires_grad for weight in (*base.vae.parameters(), *base.text.model.parameters()))


def test_a_named_part_replaces_that_of_the_folder(base_folder: Path, copied: Path, tmp_path: Path):
    save_vae(tmp_path / "vae")
    shutil.rmtree(copied / "vae")
    change_json(copied / "unet" / "config.json", in_channels=4, out_channels=4)
    base = open_base(BaseConfig(path=str(copied), vae=str(tmp_path)))  # a folder that has a vae/ inside
    assert isinstance(base.vae, AutoencoderKL)
    assert base.text.identity == open_base(BaseConfig(path=str(base_folder))).text.identity


def test_stable_diffusions_own_layout_opens(tmp_path: Path):
    save_vae(tmp_path / "vae")
    save_stable_diffusion_text(tmp_path)
    base = open_base(BaseConfig(vae=str(tmp_path / "vae"), text_encoder=str(tmp_path / "text_encoder")))
    assert base.text.encode(["hello"]).shape == (1, 77, 32)


def test_models_are_found_in_the_hub_cache_and_never_fetched(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    revision = "a" * 40
    home = tmp_path / "models--someone--tiny"
    shutil.copytree(base_folder, home / "snapshots" / revision)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(revision)
    expected = open_base(BaseConfig(path=str(base_folder))).identity
    assert open_base(BaseConfig(path="someone/tiny")).identity == expected
    parts = BaseConfig(vae="someone/tiny/vae", text_encoder=f"someone/tiny/text_encoder@{revision}")
    assert open_base(parts).identity == expected
    _refused(Path("someone/other"), "base.path = 'someone/other': no such folder, and no such model in the hub cache")


def test_the_identity_changes_with_the_weights_alone(base_folder: Path, copied: Path):
    identity = open_base(BaseConfig(path=str(base_folder))).identity
    assert open_base(BaseConfig(path=str(copied)), dtype=torch.bfloat16).identity == identity
    path = copied / "text_encoder" / "model.safetensors"
    weights = {name: weight + 1e-3 for name, weight in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})
    assert open_base(BaseConfig(path=str(copied))).identity != identity


def test_what_is_missing_is_named(copied: Path):
    _refused(copied / "nowhere", "no such folder")
    with pytest.raises(UserError, match="neither path nor vae is given"):
        open_base(BaseConfig())
    for part in ("unet", "tokenizer", "text_encoder", "vae"):
        (copied / part).rename(copied / "elsewhere")
        _refused(copied, f"{part} is missing: expected the {part} of the base")
        (copied / "elsewhere").rename(copied / part)
    (copied / "vae" / "config.json").unlink()
    _refused(copied, "config.json is missing: expected the config of the VAE")


def test_pickled_weights_are_refused_and_never_read(copied: Path):
    for part, name in (("vae", "diffusion_pytorch_model"), ("text_encoder", "pytorch_model")):
        for path in (copied / part).glob("*.safetensors"):
            path.rename(path.with_suffix(".kept"))
        (copied / part / f"{name}.bin").write_bytes(b"not even a pickle")
        _refused(copied, rf"{part}: holds pickled weights only \({name}.bin\), expected safetensors")
        (copied / part / f"{name}.bin").unlink()
        _refused(copied, f"{part}: no weights")
        for path in (copied / part).glob("*.kept"):
            path.rename(path.with_suffix(".safetensors"))


def test_unknown_classes_are_refused(copied: Path):
    change_json(copied / "text_encoder" / "config.json", model_type="llama")
    _refused(copied, "model_type 'llama', expected one of chinese_clip, ")
    change_json(copied / "vae" / "config.json", _class_name="AutoencoderTiny")
    _refused(copied, "_class_name 'AutoencoderTiny', expected one of AutoencoderKL, SpaceToDepth")
    (copied / "vae" / "config.json").write_text("[]")
    _refused(copied, "a list, expected a JSON object")
    (copied / "vae" / "config.json").write_text("{")
    _refused(copied, "not JSON")


def test_a_vae_without_all_its_weights_is_refused(tmp_path: Path, base_folder: Path):
    save_vae(tmp_path)
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["decoder.conv_out.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    _refused(base_folder, r"decoder\.conv_out\.weight is missing", vae=str(tmp_path))
    change_json(tmp_path / "config.json", block_out_channels=[8, 8, 16])
    _refused(base_folder, r"cannot be opened as AutoencoderKL", vae=str(tmp_path))


def test_a_unet_of_another_width_is_refused(copied: Path):
    change_json(copied / "unet" / "config.json", cross_attention_dim=1024)
    _refused(copied, "unet has cross_attention_dim = 1024, the VAE and text encoder need 64")

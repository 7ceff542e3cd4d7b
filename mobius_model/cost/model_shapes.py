"""Model shapes: a training config -> the shapes of its network, latents and text; no weights are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import UNet3DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode

from mobius_model.base_model.opening import PAPER_UNET, BaseConfig
from mobius_model.base_model.text import CHINESE_CLIP_TOKENS, TEXT_MODELS
from mobius_model.cost.counting import ClipShape
from mobius_model.network.weights import split_unet3d
from mobius_model.training.config import TrainConfig
from schemas.errors import UserError
from schemas.model_files import find_folder, read_json

LATENT_CHANNELS, DOWNSCALE = 4, 8  # of Stable Diffusion's VAE
TEXT_WIDTH = 1024  # of chinese-clip-vit-huge-patch14
UNET2D = {  # what diffusers' UNet2DConditionModel takes where its config says nothing
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "layers_per_block": 2,
    "norm_num_groups": 32,
}


@dataclass(frozen=True, slots=True)
class ModelShapes:
    """unet2d: config of the 2D UNet. assumed: one sentence per model that is not on this machine."""

    unet2d: dict[str, Any]
    clip: ClipShape
    assumed: tuple[str, ...]


def read_shapes(config: TrainConfig) -> ModelShapes:
    """Read what is there; what is not is taken to be the paper's: SD 2.1's VAE and UNet, Chinese-CLIP huge.

    Raises UserError for files that are there and wrong.
    """
    assumed: list[str] = []
    vae = _part(config.base, "vae", assumed, "SD 2.1's")
    text = _part(config.base, "text_encoder", assumed, "chinese-clip-vit-huge-patch14")
    channels = int(vae.get("latent_channels", LATENT_CHANNELS))
    factor = int(vae["factor"]) if "factor" in vae else 1 << (len(vae.get("block_out_channels", range(4))) - 1)
    if config.data.size % factor:
        raise UserError(f"data.size = {config.data.size}: the VAE divides by {factor}, expected a multiple of it")
    size = config.data.size // factor
    width = int(text.get("text_config", text).get("hidden_size", TEXT_WIDTH))
    given = {"in_channels": channels, "out_channels": channels, "cross_attention_dim": width}
    unet2d = {**UNET2D, **given, **_unet(config, assumed), "sample_size": size}
    kind = TEXT_MODELS.get(text.get("model_type", ""))
    tokens = config.base.max_tokens or (kind.max_tokens if kind else CHINESE_CLIP_TOKENS)
    clip = ClipShape(
        batch_size=config.loop.batch_size,
        num_frames=config.num_frames,
        latent_channels=int(unet2d["in_channels"]),
        latent_size=size,
        num_tokens=tokens,
        text_width=int(unet2d["cross_attention_dim"]),
    )
    return ModelShapes(unet2d, clip, tuple(assumed))


def _unet(config: TrainConfig, assumed: list[str]) -> Mapping[str, Any]:
    """Return the config of the 2D UNet: of the model to start from, of the base, or the paper's."""
    folder = _folder(config.init, "init")
    if folder is not None:
        folder = folder / "unet" if (folder / "unet").is_dir() else folder
        return _unet2d_inside(_public(read_json(folder / "config.json")))
    if config.init is not None:
        assumed.append(f"init = {config.init!r} is not on this machine: a 2D UNet of the base's shape")
    return _part(config.base, "unet", assumed, "SD 2.1's") or PAPER_UNET


def _unet2d_inside(found: dict[str, Any]) -> Mapping[str, Any]:
    if "unet2d" in found:  # a MobiusUNet
        return _public(found["unet2d"])
    if any("3D" in name for name in found.get("down_block_types", ())):
        with FakeTensorMode():
            return split_unet3d(UNet3DConditionModel.from_config(found))[0]
    return found


def _part(base: BaseConfig, part: str, assumed: list[str], otherwise: str) -> dict[str, Any]:
    """Return the config of a part of the base; empty, and a sentence, where the part is not there."""
    named = getattr(base, part)
    folder = _folder(named, f"base.{part}") if named else _folder(base.path, "base.path")
    for path in (folder / part / "config.json", folder / "config.json") if folder is not None else ():
        if path.is_file() and (named or path.parent.name == part):
            return _public(read_json(path))
    assumed.append(f"base.{part} is not on this machine: taken to be {otherwise}")
    return {}


def _folder(name: str | None, key: str) -> Path | None:
    if name is None:
        return None
    try:
        return find_folder(name, key=key)
    except UserError:
        return None


def _public(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if not key.startswith("_")}

"""Base: the models that are not trained here -> a VAE, a text encoder, and the config of the UNet."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from pydantic import Field
from torch import nn

from mobius_model.base_model.codec import SpaceToDepth
from mobius_model.base_model.model_files import load_whole, quietly
from mobius_model.base_model.text import TextEncoder, open_text_encoder
from schemas.config import StrictConfig
from schemas.errors import UserError
from schemas.model_files import find_folder, read_json, require_file, require_safetensors, weights_digest

VAES = {"AutoencoderKL": AutoencoderKL, "SpaceToDepth": SpaceToDepth}  # _class_name of vae/config.json

PAPER_UNET = {  # where a base names none: the shape of Stable Diffusion 2.1, at 256 x 256 pixels
    "sample_size": 32,
    "block_out_channels": (320, 640, 1280, 1280),
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}


class BaseConfig(StrictConfig):
    """Where the base models are: one folder as diffusers lays it out, or its parts one by one (a part wins).

    Each is a local folder or `owner/name[/folder][@revision]` in the hub cache; nothing is downloaded.
    """

    path: str | None = None  # a folder with vae/ text_encoder/ tokenizer/ unet/config.json
    vae: str | None = None
    text_encoder: str | None = None  # a whole Chinese-CLIP checkpoint, its text half, or a CLIP text encoder
    tokenizer: str | None = None  # if not given: in the base folder, or beside the text encoder
    unet: str | None = None  # only its config.json; if not given: in the base folder, or SD 2.1's shape
    max_tokens: int | None = Field(None, ge=3, le=512)  # if not given: what the text encoder was made for


@dataclass(frozen=True)
class Base:
    """The models a UNet is trained between, opened, frozen, in eval mode.

    vae: AutoencoderKL or SpaceToDepth. text: the text encoder. unet_config: as diffusers stores it; it fits the
    latents and the text.
    """

    vae: Any
    text: TextEncoder
    unet_config: dict[str, Any]
    vae_folder: Path

    @property
    def downscale(self) -> int:
        """Pixels per latent pixel along each side."""
        return downscale_of(self.vae)

    @property
    def latent_channels(self) -> int:
        """C, the channels of the latents."""
        return int(self.vae.config.latent_channels)

    @property
    def scaling_factor(self) -> float:
        """What encoded latents are multiplied with before noise is added."""
        return float(self.vae.config.scaling_factor)

    @functools.cached_property
    def vae_identity(self) -> str:
        """Everything that decides the latents, in one line; reads the weights once, on first use."""
        return f"{type(self.vae).__name__} weights {weights_digest(self.vae_folder)[:16]}"

    @functools.cached_property
    def identity(self) -> str:
        """A hex digest of everything that decides latents and embeddings."""
        return hashlib.sha256(f"{self.vae_identity}\n{self.text.identity}".encode()).hexdigest()


def downscale_of(vae: Any) -> int:
    """Return how many pixels become one latent pixel along each side."""
    if isinstance(vae, SpaceToDepth):
        return int(vae.config.factor)
    return 1 << (len(vae.config.block_out_channels) - 1)


def open_base(config: BaseConfig, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> Base:
    """Open the base models from this machine: safetensors only, no remote code, no download.

    Raises UserError for a folder or part that is missing, weights that are pickled, a class that is not known, and a
    UNet config that fits neither the latents nor the text.
    """
    vae_folder = _find_part(config, "vae")
    text_folder = _find_part(config, "text_encoder")
    tokenizer_folder = _find_tokenizer(config, text_folder)
    unet_config = _read_unet(config)
    with quietly():
        vae = open_vae(vae_folder)
        nn.Module.to(vae, device, dtype)  # diffusers' own `to` warns of lists that are empty
        text = open_text_encoder(
            text_folder, tokenizer_folder, max_tokens=config.max_tokens, device=device, dtype=dtype
        )
    return Base(
        vae=vae,
        text=text,
        unet_config=_fitting(unet_config, vae, text),
        vae_folder=vae_folder,
    )


def _find_part(config: BaseConfig, part: str) -> Path:
    """Return the folder of a part: named itself, or inside the base folder."""
    named = getattr(config, part)
    if named is not None:
        folder = find_folder(named, key=f"base.{part}")
        return folder / part if (folder / part).is_dir() else folder  # a base folder named for one of its parts
    if config.path is None:
        raise UserError(f"base: neither path nor {part} is given")
    folder = find_folder(config.path, key="base.path") / part
    if not folder.is_dir():
        raise UserError(f"{folder} is missing: expected the {part} of the base, or base.{part}")
    return folder


def _find_tokenizer(config: BaseConfig, text_folder: Path) -> Path:
    if config.tokenizer is not None:
        return _find_part(config, "tokenizer")
    if config.text_encoder is None:
        return _find_part(config, "tokenizer")
    beside = text_folder.parent / "tokenizer"
    return beside if text_folder.name == "text_encoder" and beside.is_dir() else text_folder


def _read_unet(config: BaseConfig) -> dict[str, Any] | None:
    """Read the config of the UNet, which needs no weights; None where none is named."""
    if config.unet is None and config.path is None:
        return None
    path = require_file(_find_part(config, "unet") / "config.json", "the config of the unet")
    return {key: value for key, value in read_json(path).items() if not key.startswith("_")}


def open_vae(folder: Path) -> Any:
    """Open a VAE or codec, frozen, in eval mode. Raises UserError for an unknown class and for weights that lack."""
    found = read_json(require_file(folder / "config.json", "the config of the VAE"))
    name = found.get("_class_name")
    if name not in VAES:
        raise UserError(f"{folder / 'config.json'}: _class_name {name!r}, expected one of {', '.join(VAES)}")
    if found.get("shift_factor") is not None:
        raise UserError(f"{folder / 'config.json'}: shift_factor {found['shift_factor']}, expected a VAE without")
    require_safetensors(folder)
    return load_whole(VAES[name], folder).eval().requires_grad_(False)


def _fitting(unet_config: dict[str, Any] | None, vae: Any, text: TextEncoder) -> dict[str, Any]:
    """Return the UNet's config, the paper's where there is none; raises UserError for one of another width."""
    widths = {
        "in_channels": int(vae.config.latent_channels),
        "out_channels": int(vae.config.latent_channels),
        "cross_attention_dim": text.width,
    }
    if unet_config is None:
        return {**PAPER_UNET, **widths}
    for key, expected in widths.items():
        if unet_config.get(key) != expected:
            raise UserError(f"base: unet has {key} = {unet_config.get(key)}, the VAE and text encoder need {expected}")
    return unet_config

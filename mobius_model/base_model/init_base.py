"""Init base: captions -> a small, complete base folder with the real classes, for a machine that has no weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import BertTokenizer, ChineseCLIPTextConfig, ChineseCLIPTextModel

from mobius_model.base_model.codec import SpaceToDepth
from mobius_model.base_model.model_files import quietly
from mobius_model.base_model.text import CHINESE_CLIP_TOKENS
from mobius_model.base_model.vocabulary import make_vocabulary
from schemas.errors import UserError
from schemas.folders import folder_written_aside

LATENT_SIDE = 16  # what pictures are brought down to, where the codec can
FACTORS = (1, 2, 4, 8)

README = """# A small base model

Written by `mobius init-base --preset {preset}` for pictures of {size} x {size} pixels.

- `vae/`: a lossless space-to-depth codec in place of a VAE. Nothing in it is learned.
- `text_encoder/`, `tokenizer/`: a small Chinese-CLIP text model **with random, untrained weights**, and a vocabulary
  of {num_tokens} tokens made from the captions of one dataset. It tells captions apart; it does not understand them.
- `unet/config.json`: the shape of the UNet to train; no weights.

Good for demos and tests. For real training use a VAE and a text encoder that were trained.
"""


@dataclass(frozen=True)
class Preset:
    """Sizes of a small base."""

    widths: tuple[int, ...]  # channels of the UNet's levels; the first never below the latents' channels
    norm_num_groups: int
    num_heads: int
    text_width: int
    text_layers: int


PRESETS = {"tiny": Preset(widths=(32, 64, 64), norm_num_groups=8, num_heads=4, text_width=64, text_layers=2)}


def init_base(folder: Path, *, captions: Iterable[str], size: int, preset: str = "tiny", seed: int = 0) -> None:
    """Write a base folder for square pictures of `size` pixels; the same arguments give the same files.

    captions: what the tokenizer's vocabulary is made from, all languages that will be asked for.
    Raises UserError for an unknown preset, a size that is no multiple of 8, and a folder that holds anything.
    """
    if preset not in PRESETS:
        raise UserError(f"preset = {preset!r}: expected one of {', '.join(PRESETS)}")
    if size < FACTORS[-1] or size % FACTORS[-1]:
        raise UserError(f"size = {size}: expected a multiple of {FACTORS[-1]} pixels")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: holds something already, expected a folder that is new or empty")
    sizes = PRESETS[preset]
    vocabulary = make_vocabulary(captions)
    codec = SpaceToDepth(factor=_factor(size))
    with folder_written_aside(folder) as aside, quietly():
        codec.save_pretrained(aside / "vae")
        BertTokenizer(vocab=vocabulary, model_max_length=CHINESE_CLIP_TOKENS).save_pretrained(aside / "tokenizer")
        _text_model(sizes, num_tokens=len(vocabulary), seed=seed).save_pretrained(aside / "text_encoder")
        _unet(sizes, codec, size=size).save_config(aside / "unet")
        readme = README.format(preset=preset, size=size, num_tokens=len(vocabulary))
        (aside / "README.md").write_text(readme, encoding="utf-8")


def _factor(size: int) -> int:
    """Return the factor that brings pictures nearest to LATENT_SIDE from above."""
    return max((factor for factor in FACTORS if size // factor >= LATENT_SIDE), default=1)


def _text_model(sizes: Preset, *, num_tokens: int, seed: int) -> ChineseCLIPTextModel:
    config = ChineseCLIPTextConfig(
        vocab_size=num_tokens,
        hidden_size=sizes.text_width,
        intermediate_size=2 * sizes.text_width,
        num_hidden_layers=sizes.text_layers,
        num_attention_heads=sizes.num_heads,
        max_position_embeddings=CHINESE_CLIP_TOKENS,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ChineseCLIPTextModel(config).eval()


def _unet(sizes: Preset, codec: SpaceToDepth, *, size: int) -> UNet2DConditionModel:
    """Make the UNet without weights, to have its whole config; below the first level it attends to the text.

    No level is narrower than the latents: predicted noise has as many independent channels as they have, and what
    the first convolution drops nobody can give back.
    """
    channels = codec.config.latent_channels
    step = sizes.norm_num_groups
    narrowest = -(-channels // step) * step
    num_lower = len(sizes.widths) - 1
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=size // codec.config.factor,
            in_channels=channels,
            out_channels=channels,
            down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * num_lower),
            up_block_types=(*("CrossAttnUpBlock2D",) * num_lower, "UpBlock2D"),
            block_out_channels=tuple(max(width, narrowest) for width in sizes.widths),
            layers_per_block=1,
            cross_attention_dim=sizes.text_width,
            attention_head_dim=sizes.num_heads,  # diffusers reads the number of heads here
            norm_num_groups=sizes.norm_num_groups,
            use_linear_projection=True,
        )

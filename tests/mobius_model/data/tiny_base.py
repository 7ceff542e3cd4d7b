"""A base of real classes with random weights, a few kilobytes large."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import BertTokenizer, ChineseCLIPTextConfig, ChineseCLIPTextModel

from mobius_model.base_model.text import TextEncoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"开心难过,_0123456789abcdefghijklmnopqrstuvwxyz"]
MAX_TOKENS = 12


@dataclass(frozen=True)
class TinyBase:
    """As mobius_model.base_model.opening.Base, of which data and latents see this much."""

    vae: AutoencoderKL
    text: TextEncoder
    identity: str = "tiny base"


def tiny_base(folder: Path) -> TinyBase:
    """4 latent channels of half the size, text of width 16."""
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*WORDS, *(f"##{word}" for word in WORDS[5:])]))
    torch.manual_seed(0)
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        layers_per_block=1,
        scaling_factor=0.5,
    )
    config = ChineseCLIPTextConfig(
        vocab_size=len(vocabulary.read_text().split()),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=MAX_TOKENS,
    )
    text = ChineseCLIPTextModel(config, add_pooling_layer=False).eval()
    return TinyBase(vae.eval(), TextEncoder(BertTokenizer(str(vocabulary)), text, MAX_TOKENS))

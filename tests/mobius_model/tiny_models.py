"""Small models of the real classes with random weights, as they lie on disk."""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from transformers import (
    BertTokenizer,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
)

from mobius_model.base_model.vocabulary import make_vocabulary

CAPTIONS = ["开心, 一只猫在笑", "happy, a cat is laughing", "生气，小狗 100% angry!", "sad 😢 ünïcode"]
_SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def save_chinese_clip(folder: Path, *, seed: int = 0) -> ChineseCLIPModel:
    """Save a whole Chinese-CLIP checkpoint with its tokenizer, as the hub has it."""
    torch.manual_seed(seed)
    vocabulary = make_vocabulary(CAPTIONS)
    config = ChineseCLIPConfig(
        text_config={**_SIZES, "vocab_size": len(vocabulary), "max_position_embeddings": 64},
        vision_config={**_SIZES, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    model = ChineseCLIPModel(config).eval()
    model.save_pretrained(folder)
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    return model


def save_stable_diffusion_text(folder: Path) -> CLIPTextModel:
    """Save text_encoder/ and tokenizer/ as Stable Diffusion's own folder has them: names begin with text_model."""
    torch.manual_seed(0)
    characters = [chr(code) for code in range(33, 127)]
    tokens = [*characters, *(f"{each}</w>" for each in characters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder / "tokenizer")
    ends = {"bos_token_id": len(tokens) - 2, "eos_token_id": len(tokens) - 1}
    model = CLIPTextModel(CLIPTextConfig(**_SIZES, **ends, vocab_size=len(tokens))).eval()
    model.save_pretrained(folder / "text_encoder")
    path = folder / "text_encoder" / "model.safetensors"
    weights = {f"text_model.{name.removeprefix('text_model.')}": weight for name, weight in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})
    return model


def save_vae(folder: Path) -> AutoencoderKL:
    """Save a VAE that divides by 4."""
    torch.manual_seed(0)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        norm_num_groups=4,
    )
    vae.save_pretrained(folder)
    return vae


def change_json(path: Path, **changes: object) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

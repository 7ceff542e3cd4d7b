"""Text: captions -> embeddings, by the tokenizer and text encoder of a base model.

Shapes: B batch, L tokens, D width of the text.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import BertTokenizer, ChineseCLIPTextModel, CLIPTextModel, CLIPTokenizer

from mobius_model.base_model.model_files import quietly
from schemas.errors import UserError
from schemas.model_files import read_json, require_file, require_safetensors, weights_digest

CHINESE_CLIP_TOKENS = 52
CLIP_TOKENS = 77
TEXT_PREFIX = {r"^text_model\.": ""}  # of a full CLIP checkpoint, and of text encoders saved by transformers 4
UNREAD = "pooler."  # weights that checkpoints leave out and nobody reads


@dataclass(frozen=True)
class TextModel:
    """The classes that read one kind of text encoder, and how many tokens it was made for."""

    model: Any
    tokenizer: Any
    max_tokens: int


_CHINESE_CLIP = TextModel(ChineseCLIPTextModel, BertTokenizer, CHINESE_CLIP_TOKENS)
_CLIP = TextModel(CLIPTextModel, CLIPTokenizer, CLIP_TOKENS)
TEXT_MODELS = {  # model_type of config.json
    "chinese_clip": _CHINESE_CLIP,
    "chinese_clip_text_model": _CHINESE_CLIP,
    "clip": _CLIP,
    "clip_text_model": _CLIP,
}


class TextEncoder:
    """Turns captions into what the UNet's cross-attention reads.

    Every caption is cut or padded to `max_tokens` tokens, and rows at padding are zero: no mask is needed later,
    so embeddings may be stored without their padding, and training and sampling see the same.
    """

    def __init__(
        self, tokenizer: Any, model: Any, max_tokens: int, *, weights_digest: Callable[[], str] | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.model = model
        self.max_tokens = max_tokens
        self._weights_digest = weights_digest or (lambda: _digest_of_tensors(model))

    @property
    def width(self) -> int:
        """D, the length of one token's embedding."""
        return int(self.model.config.hidden_size)

    @functools.cached_property
    def identity(self) -> str:
        """Everything that decides the embeddings, in one line: class, weights, vocabulary, tokens.

        Reads the weights once, on first use.
        """
        vocabulary = json.dumps(
            [sorted(self.tokenizer.get_vocab().items()), getattr(self.tokenizer, "do_lower_case", None)]
        )
        digests = (self._weights_digest(), hashlib.sha256(vocabulary.encode()).hexdigest())
        weights, words = (digest[:16] for digest in digests)
        return f"{type(self.model).__name__} weights {weights} vocabulary {words} tokens {self.max_tokens}"

    @torch.no_grad()
    def encode(self, captions: Sequence[str]) -> Tensor:
        """Encode captions ("" is one too) -> (B, L, D) float32 on the model's device, zero at padding.

        This is the last hidden state; what is longer than `max_tokens` tokens is cut.
        """
        if not captions:
            return torch.zeros(0, self.max_tokens, self.width, device=self.model.device)
        tokens = self._tokenize(captions).to(self.model.device)
        mask = tokens["attention_mask"]  # B L
        hidden: Tensor = self.model(input_ids=tokens["input_ids"], attention_mask=mask).last_hidden_state  # B L D
        return hidden.float().masked_fill(mask.unsqueeze(-1) == 0, 0.0)

    def count_tokens(self, captions: Sequence[str]) -> list[int]:
        """Return how many rows of each embedding are not padding."""
        if not captions:
            return []
        counts: list[int] = self._tokenize(captions)["attention_mask"].sum(dim=1).tolist()
        return counts

    def _tokenize(self, captions: Sequence[str]) -> Any:
        return self.tokenizer(
            list(captions), padding="max_length", truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )


def open_text_encoder(
    folder: Path, tokenizer_folder: Path, *, max_tokens: int | None, device: str | torch.device, dtype: torch.dtype
) -> TextEncoder:
    """Open a text encoder: Chinese-CLIP, the whole checkpoint or its text half, or Stable Diffusion's own CLIP.

    max_tokens: what it was made for, if None. Raises UserError for an unknown kind, missing files or weights.
    """
    kind = read_json(require_file(folder / "config.json", "the text encoder")).get("model_type")
    if kind not in TEXT_MODELS:
        raise UserError(f"{folder / 'config.json'}: model_type {kind!r}, expected one of {', '.join(TEXT_MODELS)}")
    require_safetensors(folder)
    known = TEXT_MODELS[kind]
    model = _open_weights(known.model, folder, dtype).eval().requires_grad_(False).to(device)
    tokenizer = _open_tokenizer(known.tokenizer, tokenizer_folder)
    limit = int(model.config.max_position_embeddings)
    if (max_tokens or known.max_tokens) > limit:
        raise UserError(f"max_tokens = {max_tokens or known.max_tokens}: {folder} reads at most {limit}")
    return TextEncoder(
        tokenizer, model, max_tokens or known.max_tokens, weights_digest=functools.partial(weights_digest, folder)
    )


def _open_weights(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """Load every weight that is read, or raise: transformers would draw what is missing at random, and go on."""
    lacking: list[set[str]] = []
    for key_mapping in (TEXT_PREFIX, None):  # None: where this transformers keeps the prefix itself
        with quietly():
            model, report = kind.from_pretrained(
                folder,
                key_mapping=key_mapping,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # told below, in our words
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                dtype=dtype,
            )
        missing = {name for name in report["missing_keys"] if not name.startswith(UNREAD)}
        lacking.append(missing | {found[0] for found in report["mismatched_keys"]})
        if not lacking[-1]:
            return _without_chance(model)
    fewest = sorted(lacking, key=lambda names: len(names))[0]
    raise UserError(f"{folder}: weight {min(fewest)} is missing or of another shape, expected all of {kind.__name__}")


def _without_chance(model: Any) -> Any:
    """Zero the weights nobody reads; drawn at random, they would make two saved copies differ."""
    for name, weight in model.named_parameters():
        if name.startswith(UNREAD):
            torch.nn.init.zeros_(weight)
    return model


def _open_tokenizer(kind: Any, folder: Path) -> Any:
    names = ("tokenizer.json", *kind.vocab_files_names.values())
    if not any((folder / name).is_file() for name in names):
        raise UserError(f"{folder}: no vocabulary, expected one of {', '.join(dict.fromkeys(names))}")
    return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _digest_of_tensors(model: Any) -> str:
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        if not name.startswith(UNREAD):
            digest.update(name.encode())
            digest.update(weight.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()

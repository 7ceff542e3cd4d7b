"""Configs: which model, on which device, and what it is asked."""

import re
from typing import Literal

from pydantic import Field, field_validator

from schemas.config import StrictConfig

PLACEHOLDER = re.compile(r"\{(\w+)\}")

IMAGE_PROMPT = (
    "Describe this sticker in one English sentence: who or what is shown, its look, its pose or expression. "
    "Say only what can be seen, and do not mention any text."
)
VIDEO_PROMPT = (
    "These are the frames of a short animated sticker, in order. Describe in one English sentence what moves or "
    "changes and how. Say only what can be seen, and do not mention any text."
)
SUMMARY_PROMPT = (
    "Here are descriptions of one animated sticker:\n{captions}\n"
    "Merge them into one plain English sentence of at most {max_words} words that says what is shown and how it "
    "moves. Add nothing. Answer with the sentence only."
)


class HfConfig(StrictConfig):
    """What all models of transformers have in common.

    model: a local folder, or `owner/name[/folder][@revision]` in the hub cache; nothing is downloaded.
    """

    model: str
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU where there is one
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"  # auto: bfloat16 on a GPU, else float32


class PromptedConfig(HfConfig):
    """A model that is asked in words. `{label}` in the prompt becomes the sample's label."""

    prompt: str = Field(min_length=1)

    @field_validator("prompt")
    @classmethod
    def _has_known_placeholders(cls, prompt: str) -> str:
        return require_placeholders(prompt, known={"label"})


class HfImageCaptionConfig(PromptedConfig):
    """Any model of AutoModelForImageTextToText, such as LLaVA."""

    prompt: str = Field(IMAGE_PROMPT, min_length=1)
    max_new_tokens: int = Field(64, ge=1, le=4096)  # tokens of the model; a caption of 52 tokens of Chinese-CLIP fits


class HfVideoCaptionConfig(PromptedConfig):
    """VideoLLaMA3, Video-LLaVA, or any model of AutoModelForImageTextToText that takes several images."""

    prompt: str = Field(VIDEO_PROMPT, min_length=1)
    max_new_tokens: int = Field(128, ge=1, le=4096)  # tokens of the model
    num_frames: int = Field(8, ge=1, le=256)  # distinct frames shown at most


class HfSummaryConfig(HfConfig):
    """Any causal language model with a chat template, such as Llama 2 chat.

    In the prompt `{captions}` becomes the list of captions, `{max_tokens}` and `{max_words}` the length asked for.
    """

    prompt: str = Field(SUMMARY_PROMPT, min_length=1)
    max_new_tokens: int = Field(96, ge=1, le=4096)  # tokens of the model

    @field_validator("prompt")
    @classmethod
    def _asks_about_captions(cls, prompt: str) -> str:
        return require_placeholders(prompt, known={"captions", "max_tokens", "max_words"}, required="captions")


class HfTranslationConfig(HfConfig):
    """NLLB-200 (or another M2M100) or Marian; the languages are NLLB's codes, Marian has its own inside."""

    source_language: str = "eng_Latn"
    target_language: str = "zho_Hans"
    max_new_tokens: int = Field(256, ge=1, le=4096)  # tokens of the model, for each sentence
    num_beams: int = Field(1, ge=1, le=16)  # 1 is greedy


def require_placeholders(prompt: str, *, known: set[str], required: str | None = None) -> str:
    """Return the prompt; raises ValueError for a placeholder that nothing replaces, or one that lacks."""
    unknown = sorted(set(PLACEHOLDER.findall(prompt)) - known)
    if unknown:
        raise ValueError(
            f"{{{unknown[0]}}} in the prompt, expected only {', '.join(f'{{{k}}}' for k in sorted(known))}"
        )
    if required is not None and f"{{{required}}}" not in prompt:
        raise ValueError(f"the prompt lacks {{{required}}}")
    return prompt

"""Translation: English texts -> Chinese ones, sentence by sentence, by NLLB-200 or Marian."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import transformers

from pipeline.models.hf.config import HfTranslationConfig
from pipeline.models.hf.generation import Generator
from pipeline.models.hf.identity import find_model, identify_hf, row_identity
from pipeline.models.hf.opening import open_tokenizer, open_weights
from pipeline.models.hf.prompts import plain, tokenize
from pipeline.models.hf.usage import AnswerCost, Usage, sum_costs
from schemas.errors import RefusedText, UserError

MAX_AT_ONCE = 64  # sentences, whatever the number of samples
MARIAN_MARK = ">>cmn_Hans<<"  # simplified Chinese, for models that know several kinds

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Seq2SeqTranslator:
    """A Translator, NLLB-200 or Marian.

    Such models were trained on single sentences and leave some out where they get several: so each text is cut
    into its sentences, and their translations are joined.
    """

    def __init__(self, config: HfTranslationConfig) -> None:
        folder = find_model(config)
        self.identity = row_identity(config)
        model = open_weights(transformers.AutoModelForSeq2SeqLM, folder, config)
        self._tokenizer = open_tokenizer(folder, padding_side="right")
        kind = model.config.model_type
        if kind not in PREPARERS:
            raise UserError(f"{folder}: model_type {kind!r}, expected one of {', '.join(PREPARERS)}")
        self._mark, settings = PREPARERS[kind](self._tokenizer, config, folder)
        self._generator: Generator[str] = Generator(
            model,
            self._tokenizer,
            self._encode,
            max_new_tokens=config.max_new_tokens,
            settings={**settings, "num_beams": config.num_beams},
        )

    @property
    def usage(self) -> Usage:
        """What was generated so far. An answer is a sentence; `last` is by text, as if each was alone."""
        return self._generator.usage

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translate each English text; raises RefusedText for one that is empty or too long."""
        split = [split_sentences(plain(text, self._tokenizer)) for text in texts]
        distinct = sorted({sentence for sentences in split for sentence in sentences}, key=lambda s: (len(s), s))
        translated: dict[str, str] = {}
        costs: dict[str, AnswerCost] = {}
        for first in range(0, len(distinct), MAX_AT_ONCE):
            batch = distinct[first : first + MAX_AT_ONCE]
            translated |= zip(batch, self._generator.generate(batch), strict=True)
            costs |= zip(batch, self.usage.last, strict=True)
        self.usage.last = [sum_costs([costs[sentence] for sentence in sentences]) for sentences in split]
        return ["".join(translated[sentence] for sentence in sentences) for sentences in split]

    def _encode(self, sentences: Sequence[str]) -> Mapping[str, Any]:
        return tokenize([self._mark + sentence for sentence in sentences], self._tokenizer)


def split_sentences(text: str) -> list[str]:
    """Cut a text after full stops, exclamation and question marks; raises RefusedText where there is none."""
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    if not sentences:
        raise RefusedText("no text to translate")
    return sentences


def _prepare_nllb(tokenizer: Any, config: HfTranslationConfig, folder: Path) -> tuple[str, dict[str, Any]]:
    """Set the source language; the target language is the first token of every answer."""
    for key in ("source_language", "target_language"):
        if tokenizer.convert_tokens_to_ids(getattr(config, key)) in (None, tokenizer.unk_token_id):
            raise UserError(f"{key} = {getattr(config, key)!r}: {folder} does not know this language")
    tokenizer.src_lang = config.source_language
    return "", {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(config.target_language)}


def _prepare_marian(tokenizer: Any, config: HfTranslationConfig, folder: Path) -> tuple[str, dict[str, Any]]:
    """Ask for simplified Chinese where the model knows several kinds; other languages are not in it."""
    return (f"{MARIAN_MARK} " if MARIAN_MARK in tokenizer.get_vocab() else ""), {}


PREPARERS: dict[str, Callable[[Any, HfTranslationConfig, Path], tuple[str, dict[str, Any]]]] = {  # by model_type
    "m2m_100": _prepare_nllb,
    "marian": _prepare_marian,
}


def open_hf_translator(config: HfTranslationConfig) -> Seq2SeqTranslator:
    """Load the model; one translator serves one thread at a time. Raises UserError, MachineFault."""
    return Seq2SeqTranslator(config)


def identify_hf_translator(config: HfTranslationConfig) -> str:
    """Name everything that decides the translations, without opening the model. Raises UserError."""
    return identify_hf(config)

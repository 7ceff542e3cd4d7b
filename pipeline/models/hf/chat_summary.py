"""Chat summary: a sample's captions -> one sentence, by a causal language model with a chat template."""

from collections.abc import Mapping, Sequence
from typing import Any

import transformers

from pipeline.models.hf.config import HfSummaryConfig
from pipeline.models.hf.generation import Generator, Prepared
from pipeline.models.hf.identity import find_model, identify_hf, row_identity
from pipeline.models.hf.opening import open_tokenizer, open_weights
from pipeline.models.hf.prompts import plain, render, tokenize
from pipeline.models.hf.usage import Usage
from schemas.errors import RefusedText, UserError

TOKENS_PER_WORD = 2  # of a Chinese-CLIP tokenizer, about, in English


class ChatSummarizer:
    """A Summarizer, Llama 2 chat or any other model with a chat template.

    The length is asked for, not enforced: who needs a text that fits must count it.
    """

    def __init__(self, config: HfSummaryConfig) -> None:
        folder = find_model(config)
        self.identity = row_identity(config)
        self._prompt = config.prompt
        model = open_weights(transformers.AutoModelForCausalLM, folder, config)
        self._tokenizer = open_tokenizer(folder, padding_side="left")
        if self._tokenizer.chat_template is None:
            raise UserError(f"{folder}: has no chat template, expected a model that was made to chat")
        self._generator: Generator[str] = Generator(
            model, self._tokenizer, self._encode, max_new_tokens=config.max_new_tokens
        )

    @property
    def usage(self) -> Usage:
        """What was generated so far."""
        return self._generator.usage

    def summarize(self, captions: Sequence[Sequence[str]], max_tokens: int) -> list[str]:
        """Merge each sample's captions into one sentence, asking for at most `max_tokens` tokens.

        Raises RefusedText for captions that are empty, or longer than the model can read.
        """
        return self.summarize_prepared(self.prepare(captions, max_tokens))

    def prepare(self, captions: Sequence[Sequence[str]], max_tokens: int) -> Prepared[str]:
        """Do what needs no GPU: one other thread may do it ahead."""
        return self._generator.prepare([self._ask(texts, max_tokens) for texts in captions])

    def summarize_prepared(self, prepared: Prepared[str]) -> list[str]:
        """Summarise what `prepare` returned."""
        return self._generator.answer(prepared)

    def _ask(self, captions: Sequence[str], max_tokens: int) -> str:
        texts = [text for text in (plain(caption, self._tokenizer) for caption in captions) if text]
        if not texts:
            raise RefusedText("no caption to summarise")
        lengths = {"{max_tokens}": max_tokens, "{max_words}": max(1, max_tokens // TOKENS_PER_WORD)}
        prompt = self._prompt
        for placeholder, length in lengths.items():
            prompt = prompt.replace(placeholder, str(length))
        listed = "\n".join(f"{place}. {text}" for place, text in enumerate(texts, 1))
        return prompt.replace("{captions}", listed)

    def _encode(self, asked: Sequence[str]) -> Mapping[str, Any]:
        texts = [render(self._tokenizer.chat_template, each, self._tokenizer) for each in asked]
        return tokenize(texts, self._tokenizer)


def open_hf_summarizer(config: HfSummaryConfig) -> ChatSummarizer:
    """Load the model; one summarizer serves one thread at a time. Raises UserError, MachineFault."""
    return ChatSummarizer(config)


def identify_hf_summarizer(config: HfSummaryConfig) -> str:
    """Name everything that decides the summaries, without opening the model. Raises UserError."""
    return identify_hf(config)

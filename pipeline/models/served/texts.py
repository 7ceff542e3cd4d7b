"""Served text models: captions -> a summary; English -> simplified Chinese."""

import asyncio
from collections.abc import Sequence

from pipeline.models.served.client import Pause
from pipeline.models.served.config import ServedSummaryConfig, ServedTranslationConfig
from pipeline.models.served.identity import identify_served
from pipeline.models.served.model import ServedModel
from pipeline.models.served.request import Request

WORDS_PER_TOKEN = 0.6  # English words that fit a token of the text encoder, on the safe side
PROBE_CAPTIONS = ("A cat.", "The cat waves.")
PROBE_TOKENS = 52


class ServedSummarizer(ServedModel):
    """A Summarizer. A model is told the limit in words; whether it kept to it is for others to check."""

    def __init__(self, config: ServedSummaryConfig, *, pause: Pause = asyncio.sleep) -> None:
        self._config = config
        super().__init__(config, probe=self._request(PROBE_CAPTIONS, PROBE_TOKENS), pause=pause)

    def summarize(self, captions: Sequence[Sequence[str]], max_tokens: int) -> list[str]:
        """Merge each sample's captions into one English text. Raises SampleError, MachineFault, UserError."""
        return self._client.ask(self._request(each, max_tokens) for each in captions)

    def _request(self, captions: Sequence[str], max_tokens: int) -> Request:
        max_words = max(1, int(max_tokens * WORDS_PER_TOKEN))
        prompt = self._config.prompt.replace("{max_words}", str(max_words))
        return Request((prompt, "\n".join(f"- {caption}" for caption in captions)))


class ServedTranslator(ServedModel):
    """A Translator."""

    def __init__(self, config: ServedTranslationConfig, *, pause: Pause = asyncio.sleep) -> None:
        self._config = config
        super().__init__(config, probe=self._request(PROBE_CAPTIONS[0]), pause=pause)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translate each English text to simplified Chinese. Raises SampleError, MachineFault, UserError."""
        return self._client.ask(self._request(text) for text in texts)

    def _request(self, text: str) -> Request:
        return Request((self._config.prompt, text))


def open_served_summarizer(config: ServedSummaryConfig) -> ServedSummarizer:
    """Open the connections. Raises UserError without the key or the library; nothing is asked yet."""
    return ServedSummarizer(config)


def open_served_translator(config: ServedTranslationConfig) -> ServedTranslator:
    """Open the connections. Raises UserError without the key or the library; nothing is asked yet."""
    return ServedTranslator(config)


def identify_served_summarizer(config: ServedSummaryConfig) -> str:
    """Name the model and all that can change its answers, without opening anything."""
    return identify_served(config)


def identify_served_translator(config: ServedTranslationConfig) -> str:
    """Name the model and all that can change its answers, without opening anything."""
    return identify_served(config)

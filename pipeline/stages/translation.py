"""Translation: English captions and summary -> the same in simplified Chinese."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from pipeline.models.grammar_zh import GrammarTranslator
from pipeline.models.protocols import Translator
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer, SummaryAnswer, TranslationAnswer, VideoCaptionAnswer
from schemas.config import StrictConfig


class TranslationConfig(StrictConfig):
    """Which model translates."""

    model: Literal["embedded/grammar-zh"] = "embedded/grammar-zh"
    batch_size: int = Field(64, ge=1)  # samples


TRANSLATORS: dict[str, Callable[[], Translator]] = {"embedded/grammar-zh": GrammarTranslator}


def translate_samples(
    inputs: Sequence[StageInput], *, config: TranslationConfig, model: Translator
) -> list[TranslationAnswer]:
    """Translate the image caption of every sample, and video caption and summary of those that have them."""
    texts: list[str] = []
    for each in inputs:
        texts.append(each.of(ImageCaptionAnswer).image_caption)
        if each.wants_video:
            texts += [each.of(VideoCaptionAnswer).video_caption, each.of(SummaryAnswer).summary]
    translated = iter(model.translate(texts))
    answers = []
    for each in inputs:
        image = next(translated)
        video, summary = (next(translated), next(translated)) if each.wants_video else (None, None)
        answers.append(TranslationAnswer(image, video, summary, model.identity))
    return answers


def identify_translator(config: TranslationConfig) -> str:
    """Name the configured translator with its revision."""
    return open_translator(config).identity


def open_translator(config: TranslationConfig) -> Translator:
    """Open the configured translator."""
    return TRANSLATORS[config.model]()

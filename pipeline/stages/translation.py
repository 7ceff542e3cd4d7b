"""Translation: English captions and summary -> the same in simplified Chinese."""

from collections.abc import Iterator, Sequence

from pipeline.captions.canaries import TEXTS
from pipeline.models.grammar_zh import GrammarTranslator
from pipeline.models.hf.config import HfTranslationConfig
from pipeline.models.protocols import Translator
from pipeline.models.served.config import ServedTranslationConfig
from pipeline.models.writer import WriterConfig, checked, identify, try_out
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer, SummaryAnswer, TranslationAnswer, VideoCaptionAnswer
from schemas.errors import SampleError


class TranslationConfig(WriterConfig):
    """Which model translates."""

    hf: HfTranslationConfig | None = None
    served: ServedTranslationConfig | None = None


def translate_samples(
    inputs: Sequence[StageInput], *, config: TranslationConfig, model: Translator
) -> list[TranslationAnswer | SampleError]:
    """Translate the image caption of every sample, and video caption and summary of those that have them."""
    texts: list[str] = []
    for each in inputs:
        texts.append(each.of(ImageCaptionAnswer).image_caption)
        if each.wants_video:
            texts += [each.of(VideoCaptionAnswer).video_caption, each.of(SummaryAnswer).summary]
    translated = iter(checked(model.translate(texts), config, "zh", model=model))
    return [_answer(each, translated, model) for each in inputs]


def _answer(
    each: StageInput, translated: Iterator[str | SampleError], model: Translator
) -> TranslationAnswer | SampleError:
    """Take the translations of one sample; the first that is refused stands for all of them."""
    own = [next(translated) for _ in range(3 if each.wants_video else 1)]
    texts: list[str | None] = []
    for text in own:
        if isinstance(text, SampleError):
            return text
        texts.append(text)
    image, video, summary = (*texts, None, None)[:3]
    assert image is not None
    return TranslationAnswer(image, video, summary, model.identity)


def identify_translator(config: TranslationConfig) -> str:
    """Name the configured translator with its revision, and all that decides which of its texts are stored."""
    return identify(config, embedded=GrammarTranslator.identity)


def open_translator(config: TranslationConfig) -> Translator:
    """Open the configured translator and try it out. Raises UserError, MachineFault, StageBroken."""
    model = _open(config)
    try_out(model, config, TEXTS, model.translate)
    return model


def _open(config: TranslationConfig) -> Translator:
    if config.engine == "hf":
        from pipeline.models.hf.translation import open_hf_translator

        return open_hf_translator(config.chosen)
    if config.engine == "served":
        from pipeline.models.served.texts import open_served_translator

        return open_served_translator(config.chosen)
    return GrammarTranslator()

"""Summary: image caption and video caption -> one short text that the text encoder can hold."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from pipeline.models.extractive import Extractive
from pipeline.models.protocols import Summarizer
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer, SummaryAnswer, VideoCaptionAnswer
from schemas.config import StrictConfig


class SummaryConfig(StrictConfig):
    """Which model summarises, and how long a summary may be."""

    model: Literal["embedded/extractive"] = "embedded/extractive"
    max_tokens: int = Field(52, ge=8)  # tokens; what Chinese-CLIP's text encoder holds
    batch_size: int = Field(64, ge=1)  # samples


SUMMARIZERS: dict[str, Callable[[], Summarizer]] = {"embedded/extractive": Extractive}


def summarise_samples(inputs: Sequence[StageInput], *, config: SummaryConfig, model: Summarizer) -> list[SummaryAnswer]:
    """Merge the two captions of each sample."""
    captions = [
        (each.of(ImageCaptionAnswer).image_caption, each.of(VideoCaptionAnswer).video_caption) for each in inputs
    ]
    summaries = model.summarize(captions, config.max_tokens)
    return [SummaryAnswer(summary, model.identity) for summary in summaries]


def identify_summarizer(config: SummaryConfig) -> str:
    """Name the configured summarizer with its revision."""
    return open_summarizer(config).identity


def open_summarizer(config: SummaryConfig) -> Summarizer:
    """Open the configured summarizer."""
    return SUMMARIZERS[config.model]()

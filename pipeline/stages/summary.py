"""Summary: image caption and video caption -> one short text that the text encoder can hold."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from pipeline.captions.canaries import CAPTIONS
from pipeline.models.extractive import Extractive
from pipeline.models.hf.config import HfSummaryConfig
from pipeline.models.protocols import Summarizer
from pipeline.models.served.config import ServedSummaryConfig
from pipeline.models.writer import WriterConfig, checked, identify, try_out
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer, SummaryAnswer, VideoCaptionAnswer
from schemas.errors import SampleError


class SummaryConfig(WriterConfig):
    """Which model summarises, and how long a summary may be."""

    max_tokens: int = Field(52, ge=8)  # tokens; what Chinese-CLIP's text encoder holds
    hf: HfSummaryConfig | None = None
    served: ServedSummaryConfig | None = None

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        if self.check.max_tokens is not None:
            raise ValueError("check.max_tokens is max_tokens here, expected it only once")
        return self


def summarise_samples(
    inputs: Sequence[StageInput], *, config: SummaryConfig, model: Summarizer
) -> list[SummaryAnswer | SampleError]:
    """Merge the two captions of each sample."""
    captions = [
        (each.of(ImageCaptionAnswer).image_caption, each.of(VideoCaptionAnswer).video_caption) for each in inputs
    ]
    summaries = checked(model.summarize(captions, config.max_tokens), _with_length(config), "en", model=model)
    return [each if isinstance(each, SampleError) else SummaryAnswer(each, model.identity) for each in summaries]


def identify_summarizer(config: SummaryConfig) -> str:
    """Name the configured summarizer with its revision, and all that decides which of its summaries are stored."""
    return identify(_with_length(config), embedded=Extractive.identity)


def open_summarizer(config: SummaryConfig) -> Summarizer:
    """Open the configured summarizer and try it out. Raises UserError, MachineFault, StageBroken."""
    model = _open(config)
    try_out(model, _with_length(config), CAPTIONS, lambda some: model.summarize(some, config.max_tokens))
    return model


def _with_length(config: SummaryConfig) -> SummaryConfig:
    """Let the check count, too."""
    return config.model_copy(update={"check": config.check.model_copy(update={"max_tokens": config.max_tokens})})


def _open(config: SummaryConfig) -> Summarizer:
    if config.engine == "hf":
        from pipeline.models.hf.chat_summary import open_hf_summarizer

        return open_hf_summarizer(config.chosen)
    if config.engine == "served":
        from pipeline.models.served.texts import open_served_summarizer

        return open_served_summarizer(config.chosen)
    return Extractive()

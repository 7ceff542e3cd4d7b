"""What a stage is: a name, what it reads, whom it asks, how its model is opened, and one function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import decode_clip, decode_first_frame
from pipeline.media.limits import TRUSTED
from schemas.answers import (
    Answer,
    CleanAnswer,
    ImageCaptionAnswer,
    ProbeAnswer,
    QualityAnswer,
    SummaryAnswer,
    TextAnswer,
    TranslationAnswer,
    VideoCaptionAnswer,
)
from schemas.clip import Clip
from schemas.config import StrictConfig
from schemas.errors import SampleError
from schemas.sample import Sample

A = TypeVar("A")

ANSWERS: dict[str, type[Answer]] = {
    "probe": ProbeAnswer,
    "quality": QualityAnswer,
    "text": TextAnswer,
    "clean": CleanAnswer,
    "image_caption": ImageCaptionAnswer,
    "video_caption": VideoCaptionAnswer,
    "summary": SummaryAnswer,
    "translation": TranslationAnswer,
}


class Asked(StrEnum):
    """Whom a stage asks: every sample that was ingested, or those chosen for a training set."""

    ALL = "all"
    T2I = "t2i"
    T2V = "t2v"


@dataclass(frozen=True, slots=True)
class StageInput:
    """One sample and what earlier stages answered about it.

    wants_video: the sample is chosen for t2v, so captions of its motion exist and are asked for.
    """

    sample: Sample
    answers: Mapping[str, Answer]
    wants_video: bool = False

    @property
    def media(self) -> bytes:
        """The encoded bytes as ingested."""
        assert self.sample.media is not None, "a sample without media never reaches a stage"
        return self.sample.media

    @property
    def label(self) -> str | None:
        return self.sample.label

    def of(self, answer_type: type[A]) -> A:
        """Return the answer of the stage that writes `answer_type`."""
        for answer in self.answers.values():
            if isinstance(answer, answer_type):
                return answer
        raise KeyError(f"no {answer_type.__name__} for {self.sample.key}: does the stage read it?")

    def original_clip(self) -> Clip:
        """Decode the media as ingested."""
        return decode_clip(self.media, limits=TRUSTED)

    def clean_clip(self) -> Clip:
        """Decode the media without its text where the clean stage removed it, else as ingested."""
        clean = self.of(CleanAnswer)
        if clean.clean_media is None:
            return self.original_clip()
        frames = decode_clip(clean.clean_media, limits=TRUSTED).frames
        return Clip(frames, tuple(clean.clean_run_lengths), tuple(self.of(ProbeAnswer).delays_ms))

    def first_clean_frame(self) -> NDArray[np.uint8]:
        """Decode the first frame (H, W, 4), without its text where it was removed."""
        media = self.of(CleanAnswer).clean_media or self.media
        return decode_first_frame(media, limits=TRUSTED)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; `pipeline.stages.table` lists them all.

    version: raised whenever the same input and config would give another answer.
    reads: the stages whose answers come along, oldest first. reads_media: also the bytes as ingested;
    reads_cleaned_media: also the bytes `clean` wrote.
    identify: config -> name, revision and weight digest of its model, without opening it.
    open_model: config -> the model, kept for the life of the worker process.
    prepare: (inputs, model=) -> what `answer` gets as `prepared=`, made in another thread while the model answers the
    batch before; None where a stage decodes in `answer` itself.
    answer: (inputs, config=, model=) -> one answer each, in order, or the SampleError that stands in for it; raises
    SampleError for the batch it cannot answer.
    """

    name: str
    version: int
    asked: Asked
    reads: tuple[str, ...]
    identify: Callable[[Any], str]
    open_model: Callable[[Any], Any]
    answer: Callable[..., Sequence[Answer | SampleError]]
    prepare: Callable[..., Any] | None = None
    reads_media: bool = True
    reads_cleaned_media: bool = False

    @property
    def answer_type(self) -> type[Answer]:
        return ANSWERS[self.name]


def no_model(config: StrictConfig) -> None:
    """Open the model of a stage that has none."""


def no_identity(config: StrictConfig) -> str:
    """Identify the model of a stage that has none."""
    return ""

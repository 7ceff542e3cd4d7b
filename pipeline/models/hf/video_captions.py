"""Video captions: clips -> what happens in each, by VideoLLaMA3, Video-LLaVA, or a model of several pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import transformers

from pipeline.models.frames import spread_frames
from pipeline.models.hf.config import HfVideoCaptionConfig
from pipeline.models.hf.generation import Generator, Prepared
from pipeline.models.hf.identity import find_model, identify_hf, row_identity
from pipeline.models.hf.opening import open_weights
from pipeline.models.hf.picture_reader import Asked, open_picture_reader
from pipeline.models.hf.pictures import over_white
from pipeline.models.hf.prompts import fill_label
from pipeline.models.hf.usage import Usage
from pipeline.models.hf.video_llama3 import VideoLlama3Reader
from pipeline.models.hf.video_llava import VideoLlavaReader
from schemas.clip import Clip


class Reader(Protocol):
    """Turns frames and words into a model's inputs."""

    tokenizer: Any

    def encode(self, asked: Sequence[Asked]) -> Mapping[str, Any]:
        """Return padded inputs for a batch."""


VIDEO_READERS: dict[str, Callable[[Path, Any], Reader]] = {  # by model_type; all others get several pictures
    "video_llama_3": VideoLlama3Reader,
    "video_llava": VideoLlavaReader,
}


class FramesCaptioner:
    """A VideoCaptioner that is shown distinct frames in the order of time."""

    def __init__(self, config: HfVideoCaptionConfig) -> None:
        folder = find_model(config)
        self.identity = row_identity(config)
        self._config = config
        model = open_weights(transformers.AutoModelForImageTextToText, folder, config)
        open_reader = VIDEO_READERS.get(model.config.model_type, open_picture_reader)
        self._reader = open_reader(folder, model.config)
        self._generator: Generator[Asked] = Generator(
            model, self._reader.tokenizer, self._reader.encode, max_new_tokens=config.max_new_tokens
        )

    @property
    def usage(self) -> Usage:
        """What was generated so far."""
        return self._generator.usage

    def caption_clips(self, clips: Sequence[Clip], labels: Sequence[str | None]) -> list[str]:
        """Say in English what happens in each clip, over white."""
        return self.caption_prepared(self.prepare(clips, labels))

    def prepare(self, clips: Iterable[Clip], labels: Sequence[str | None]) -> Prepared[Asked]:
        """Do what needs no GPU: one other thread may do it ahead."""
        return self._generator.prepare([self._ask(*each) for each in zip(clips, labels, strict=True)])

    def caption_prepared(self, prepared: Prepared[Asked]) -> list[str]:
        """Caption what `prepare` returned."""
        return self._generator.answer(prepared)

    def _ask(self, clip: Clip, label: str | None) -> Asked:
        chosen = spread_frames(clip, self._config.num_frames)
        return Asked(
            pictures=tuple(over_white(clip.frames[index]) for index, _ in chosen),
            prompt=fill_label(self._config.prompt, label, self._reader.tokenizer),
            seconds=tuple(second for _, second in chosen),
        )


def open_hf_video_captioner(config: HfVideoCaptionConfig) -> FramesCaptioner:
    """Load the model; one captioner serves one thread at a time. Raises UserError, MachineFault."""
    return FramesCaptioner(config)


def identify_hf_video_captioner(config: HfVideoCaptionConfig) -> str:
    """Name everything that decides the captions, without opening the model. Raises UserError."""
    return identify_hf(config)

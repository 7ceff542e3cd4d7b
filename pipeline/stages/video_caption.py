"""Video caption: the frames and their time axis -> one English sentence about the motion."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from pipeline.models.describe import Describe
from pipeline.models.protocols import VideoCaptioner
from pipeline.stages.stage import StageInput
from schemas.answers import VideoCaptionAnswer
from schemas.config import StrictConfig


class VideoCaptionConfig(StrictConfig):
    """Which model captions the motion, and how many clips it is shown at once."""

    model: Literal["embedded/describe"] = "embedded/describe"
    batch_size: int = Field(1, ge=1)  # clips; each is held decoded


CAPTIONERS: dict[str, Callable[[], VideoCaptioner]] = {"embedded/describe": Describe}


def caption_videos(
    inputs: Sequence[StageInput], *, config: VideoCaptionConfig, model: VideoCaptioner
) -> list[VideoCaptionAnswer]:
    """Caption the motion of each sample, without its text."""
    clips = [each.clean_clip() for each in inputs]
    captions = model.caption_clips(clips, [each.label for each in inputs])
    return [VideoCaptionAnswer(caption, model.identity) for caption in captions]


def identify_captioner(config: VideoCaptionConfig) -> str:
    """Name the configured captioner with its revision."""
    return open_captioner(config).identity


def open_captioner(config: VideoCaptionConfig) -> VideoCaptioner:
    """Open the configured captioner."""
    return CAPTIONERS[config.model]()

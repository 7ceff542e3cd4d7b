"""Image caption: the first frame -> one English sentence."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from pipeline.models.describe import Describe
from pipeline.models.protocols import ImageCaptioner
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer
from schemas.config import StrictConfig


class ImageCaptionConfig(StrictConfig):
    """Which model captions the first frame, and how many samples it is shown at once."""

    model: Literal["embedded/describe"] = "embedded/describe"
    batch_size: int = Field(16, ge=1)  # samples


CAPTIONERS: dict[str, Callable[[], ImageCaptioner]] = {"embedded/describe": Describe}


def caption_images(
    inputs: Sequence[StageInput], *, config: ImageCaptionConfig, model: ImageCaptioner
) -> list[ImageCaptionAnswer]:
    """Caption the first frame of each sample, without its text."""
    images = [each.first_clean_frame() for each in inputs]
    captions = model.caption_images(images, [each.label for each in inputs])
    return [ImageCaptionAnswer(caption, model.identity) for caption in captions]


def identify_captioner(config: ImageCaptionConfig) -> str:
    """Name the configured captioner with its revision."""
    return open_captioner(config).identity


def open_captioner(config: ImageCaptionConfig) -> ImageCaptioner:
    """Open the configured captioner."""
    return CAPTIONERS[config.model]()

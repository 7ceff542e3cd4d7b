"""Image caption: the first frame -> one English sentence."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipeline.captions.canaries import PICTURES
from pipeline.models.describe import PictureDescriber
from pipeline.models.hf.config import HfImageCaptionConfig
from pipeline.models.protocols import ImageCaptioner
from pipeline.models.served.config import ServedImageCaptionConfig
from pipeline.models.writer import WriterConfig, checked, identify, try_out
from pipeline.stages.stage import StageInput
from schemas.answers import ImageCaptionAnswer
from schemas.errors import SampleError


class ImageCaptionConfig(WriterConfig):
    """Which model captions the first frame."""

    batch_sizes: ClassVar[dict[str, int]] = {"embedded": 16, "hf": 8, "served": 128}

    hf: HfImageCaptionConfig | None = None
    served: ServedImageCaptionConfig | None = None


def prepare_images(inputs: Sequence[StageInput], *, model: ImageCaptioner) -> Any:
    """Decode the first frame of each sample, without its text, and bring it into the model's form."""
    return model.prepare([each.first_clean_frame() for each in inputs], [each.label for each in inputs])


def caption_images(
    inputs: Sequence[StageInput], *, config: ImageCaptionConfig, model: ImageCaptioner, prepared: Any
) -> list[ImageCaptionAnswer | SampleError]:
    """Caption the first frame of each sample."""
    captions = checked(model.caption_prepared(prepared), config, "en", model=model)
    return [each if isinstance(each, SampleError) else ImageCaptionAnswer(each, model.identity) for each in captions]


def identify_captioner(config: ImageCaptionConfig) -> str:
    """Name the configured captioner with its revision, and all that decides which of its captions are stored."""
    return identify(config, embedded=PictureDescriber.identity)


def open_captioner(config: ImageCaptionConfig) -> ImageCaptioner:
    """Open the configured captioner and try it out. Raises UserError, MachineFault, StageBroken."""
    model = _open(config)
    try_out(model, config, PICTURES, lambda some: model.caption_prepared(model.prepare(some, [None] * len(some))))
    return model


def _open(config: ImageCaptionConfig) -> ImageCaptioner:
    if config.engine == "hf":
        from pipeline.models.hf.image_captions import open_hf_image_captioner

        return open_hf_image_captioner(config.chosen)
    if config.engine == "served":
        from pipeline.models.served.captioners import open_served_image_captioner

        return open_served_image_captioner(config.chosen)
    return PictureDescriber()

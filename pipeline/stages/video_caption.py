"""Video caption: the frames and their time axis -> one English sentence about the motion."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipeline.captions.canaries import CLIPS
from pipeline.models.describe import MotionDescriber
from pipeline.models.hf.config import HfVideoCaptionConfig
from pipeline.models.protocols import VideoCaptioner
from pipeline.models.served.config import ServedVideoCaptionConfig
from pipeline.models.writer import WriterConfig, checked, identify, try_out
from pipeline.stages.stage import StageInput
from schemas.answers import VideoCaptionAnswer
from schemas.errors import SampleError


class VideoCaptionConfig(WriterConfig):
    """Which model captions the motion."""

    batch_sizes: ClassVar[dict[str, int]] = {"embedded": 1, "hf": 4, "served": 64}  # each is held decoded

    hf: HfVideoCaptionConfig | None = None
    served: ServedVideoCaptionConfig | None = None


def prepare_clips(inputs: Sequence[StageInput], *, model: VideoCaptioner) -> Any:
    """Decode each sample, one at a time, without its text, and bring its frames into the model's form."""
    return model.prepare((each.clean_clip() for each in inputs), [each.label for each in inputs])


def caption_videos(
    inputs: Sequence[StageInput], *, config: VideoCaptionConfig, model: VideoCaptioner, prepared: Any
) -> list[VideoCaptionAnswer | SampleError]:
    """Caption the motion of each sample."""
    captions = checked(model.caption_prepared(prepared), config, "en", model=model)
    return [each if isinstance(each, SampleError) else VideoCaptionAnswer(each, model.identity) for each in captions]


def identify_captioner(config: VideoCaptionConfig) -> str:
    """Name the configured captioner with its revision, and all that decides which of its captions are stored."""
    return identify(config, embedded=MotionDescriber.identity)


def open_captioner(config: VideoCaptionConfig) -> VideoCaptioner:
    """Open the configured captioner and try it out. Raises UserError, MachineFault, StageBroken."""
    model = _open(config)
    try_out(model, config, CLIPS, lambda some: model.caption_prepared(model.prepare(some, [None] * len(some))))
    return model


def _open(config: VideoCaptionConfig) -> VideoCaptioner:
    if config.engine == "hf":
        from pipeline.models.hf.video_captions import open_hf_video_captioner

        return open_hf_video_captioner(config.chosen)
    if config.engine == "served":
        from pipeline.models.served.captioners import open_served_video_captioner

        return open_served_video_captioner(config.chosen)
    return MotionDescriber()

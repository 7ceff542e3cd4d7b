"""Served models: images, clips and texts -> sentences, by any server that speaks OpenAI's chat completions."""

from pipeline.models.served.captioners import (
    ServedImageCaptioner,
    ServedVideoCaptioner,
    identify_served_image_captioner,
    identify_served_video_captioner,
    open_served_image_captioner,
    open_served_video_captioner,
)
from pipeline.models.served.config import (
    ServedConfig,
    ServedImageCaptionConfig,
    ServedSummaryConfig,
    ServedTranslationConfig,
    ServedVideoCaptionConfig,
)
from pipeline.models.served.texts import (
    ServedSummarizer,
    ServedTranslator,
    identify_served_summarizer,
    identify_served_translator,
    open_served_summarizer,
    open_served_translator,
)

__all__ = [
    "ServedConfig",
    "ServedImageCaptionConfig",
    "ServedImageCaptioner",
    "ServedSummarizer",
    "ServedSummaryConfig",
    "ServedTranslationConfig",
    "ServedTranslator",
    "ServedVideoCaptionConfig",
    "ServedVideoCaptioner",
    "identify_served_image_captioner",
    "identify_served_summarizer",
    "identify_served_translator",
    "identify_served_video_captioner",
    "open_served_image_captioner",
    "open_served_summarizer",
    "open_served_translator",
    "open_served_video_captioner",
]

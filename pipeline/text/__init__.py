"""Burnt-in text: the frames of a clip -> strings with their way through the clip."""

from pipeline.text.config import TextConfig
from pipeline.text.find import find_text

__all__ = ["TextConfig", "find_text"]

"""Clean: a clip and the text found in it -> the clip without text, or the reason why it was left as it is."""

from pipeline.clean.clean import clean_clip
from pipeline.clean.config import CleanConfig

__all__ = ["CleanConfig", "clean_clip"]

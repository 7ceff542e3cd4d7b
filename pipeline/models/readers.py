"""Text readers by name: a config -> the engine that reads burnt-in text."""

from typing import Literal

from pipeline.models.protocols import TextReader
from pipeline.models.rapid_ocr import RapidOcrConfig, open_rapid_ocr, rapid_ocr_digest, rapid_ocr_identity
from schemas.config import StrictConfig


class ReaderConfig(StrictConfig):
    """Which engine reads text, and its settings."""

    engine: Literal["rapidocr"] = "rapidocr"
    rapidocr: RapidOcrConfig = RapidOcrConfig()


def open_reader(config: ReaderConfig) -> TextReader:
    """Open the configured engine; one reader serves one thread at a time."""
    return open_rapid_ocr(config.rapidocr)


def identify_reader(config: ReaderConfig) -> str:
    """Name the configured engine with revision and weight digest, without opening it."""
    return f"{rapid_ocr_identity()} {rapid_ocr_digest()}"

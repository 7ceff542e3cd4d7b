"""Text readers by name: a config -> the engine that reads burnt-in text."""

from typing import Any, Literal, Self

from pydantic import model_validator

from pipeline.models.paddle_ocr import PaddleOcrConfig, open_paddle_ocr, paddle_ocr_identity
from pipeline.models.protocols import TextReader
from pipeline.models.rapid_ocr import RapidOcrConfig, open_rapid_ocr, rapid_ocr_digest, rapid_ocr_identity
from schemas.config import StrictConfig


class ReaderConfig(StrictConfig):
    """Which engine reads text, and its settings; PaddleOCR's name the folders of its models."""

    engine: Literal["rapidocr", "paddleocr"] = "rapidocr"
    rapidocr: RapidOcrConfig = RapidOcrConfig()
    paddleocr: PaddleOcrConfig | None = None

    @model_validator(mode="after")
    def _is_set(self) -> Self:
        if self.engine == "paddleocr" and self.paddleocr is None:
            raise ValueError(
                "engine 'paddleocr' needs paddleocr.detection and paddleocr.recognition, two model folders"
            )
        return self

    @property
    def identified(self) -> dict[str, Any]:
        if self.engine == "rapidocr":
            return {"paddleocr": True}
        return {"rapidocr": True, "paddleocr": {"detection", "recognition", "device", "threads", "batch_size"}}


def open_reader(config: ReaderConfig) -> TextReader:
    """Open the configured engine; one reader serves one thread at a time. Raises UserError where it is missing."""
    if config.engine == "paddleocr":
        assert config.paddleocr is not None
        return open_paddle_ocr(config.paddleocr)
    return open_rapid_ocr(config.rapidocr)


def identify_reader(config: ReaderConfig) -> str:
    """Name the configured engine with revision and weight digest, without opening it."""
    if config.engine == "paddleocr":
        assert config.paddleocr is not None
        return paddle_ocr_identity(config.paddleocr)
    return f"{rapid_ocr_identity()} {rapid_ocr_digest()}"

"""RapidOCR: an RGB image -> text boxes, by the PP-OCR models that lie inside the rapidocr wheel.

Shapes: H height, W width; 3 = RGB, uint8.
"""

import hashlib
from functools import cache, cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models.shown_image import ReadingConfig, boxes_of, has_contrast, show_image
from schemas.text import TextBox


class RapidOcrConfig(ReadingConfig):
    """How an image is shown to RapidOCR and which of its readings count."""


class RapidOcr:
    """A TextReader; bounded in memory by `max_side` whatever the image size."""

    def __init__(self, config: RapidOcrConfig) -> None:
        from rapidocr import RapidOCR

        self._config = config
        self._engine: Any = RapidOCR(params=_engine_params(config))

    @cached_property
    def identity(self) -> str:
        """Name and version of the library, whose wheel carries the models."""
        return rapid_ocr_identity()

    @cached_property
    def digest(self) -> str:
        """sha256 in hex over the model files, by name and content."""
        return rapid_ocr_digest()

    def read(self, image: NDArray[np.uint8]) -> list[TextBox]:
        """Find and recognise text in one RGB image (H, W, 3); polygons are in its pixels, reading order."""
        if not has_contrast(image):
            return []
        shown = show_image(image, self._config)
        found = self._engine(np.ascontiguousarray(shown.pixels[..., ::-1]))  # no flags here: they would persist
        if not found.txts:
            return []
        size = (image.shape[0], image.shape[1])
        return boxes_of(found.txts, found.scores, found.boxes, shown=shown, size=size, config=self._config)


def open_rapid_ocr(config: RapidOcrConfig) -> RapidOcr:
    """Load the models (about 0.4 s); one reader serves one thread at a time."""
    return RapidOcr(config)


def rapid_ocr_identity() -> str:
    """Name and version of the library, whose wheel carries the models; nothing is opened."""
    return f"rapidocr/{metadata.version('rapidocr')}"


@cache
def rapid_ocr_digest() -> str:
    """sha256 in hex over the model files, by name and content; the library is found, not imported."""
    digest = hashlib.sha256()
    for path in sorted(rapid_ocr_models().glob("*.onnx")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def rapid_ocr_models() -> Path:
    """Return the folder of the wheel that holds the models; the library is found, not imported."""
    found = find_spec("rapidocr")
    assert found is not None, "rapidocr is a dependency of this package"
    assert found.origin is not None
    return Path(found.origin).parent / "models"


def _engine_params(config: RapidOcrConfig) -> dict[str, Any]:
    return {
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Global.log_level": "error",
        "Global.use_cls": False,
        "Global.text_score": config.min_score,
        "Global.max_side_len": 2 * config.max_side,
        "Det.limit_type": "min",
        "Det.limit_side_len": 32,  # we have resized already
    }

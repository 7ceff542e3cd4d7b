"""RapidOCR: an RGB image -> text boxes, by the PP-OCR models that lie inside the rapidocr wheel.

Shapes: H height, W width; 3 = RGB, uint8.
"""

import hashlib
import unicodedata
from functools import cache, cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.config import StrictConfig
from schemas.text import TextBox

MIN_CONTRAST = 8  # grey levels; below this nothing can be read and no model is asked
SMALLEST_SIDE = 64  # pixels handed to the detector at least, so that it never enlarges by itself
MAX_ASPECT = 8  # beyond it the library pads by itself, with black


class RapidOcrConfig(StrictConfig):
    """How an image is shown to the models and which of their readings count."""

    side: int = Field(224, ge=64, le=1280)  # pixels: a shorter side below this is enlarged to it
    max_side: int = Field(320, ge=64, le=4096)  # pixels: the longer side is at most this, whatever `side` says
    min_score: float = Field(0.7, ge=0, le=1)  # recognition score
    min_length: int = Field(2, ge=1)  # letters and digits; one Chinese character is always enough
    enlarge_limit: float = Field(16.0, ge=1)  # times; an icon of 16 pixels needs no more


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
        if int(image.max()) - int(image.min()) < MIN_CONTRAST:
            return []
        shown, scale, (left, top) = _fit(image, self._config)
        found = self._engine(np.ascontiguousarray(shown[..., ::-1]))  # no flags here: they would persist
        if not found.txts:
            return []
        height, width = image.shape[:2]
        boxes = []
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True):
            if float(score) < self._config.min_score or not is_enough_text(text, self._config.min_length):
                continue
            xy = (np.asarray(corners, np.float64) - (left, top)) / scale
            xy = np.clip(xy, 0, (width, height))
            boxes.append(TextBox(text.strip(), float(score), [round(float(v), 2) for v in xy.reshape(-1)]))
        return boxes


def open_rapid_ocr(config: RapidOcrConfig) -> RapidOcr:
    """Load the models (about 0.4 s); one reader serves one thread at a time."""
    return RapidOcr(config)


def rapid_ocr_identity() -> str:
    """Name and version of the library, whose wheel carries the models; nothing is opened."""
    return f"rapidocr/{metadata.version('rapidocr')}"


@cache
def rapid_ocr_digest() -> str:
    """sha256 in hex over the model files, by name and content; the library is found, not imported."""
    found = find_spec("rapidocr")
    assert found is not None, "rapidocr is a dependency of this package"
    assert found.origin is not None
    digest = hashlib.sha256()
    for path in sorted((Path(found.origin).parent / "models").glob("*.onnx")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_enough_text(text: str, min_length: int) -> bool:
    """Tell whether a reading has a CJK character or at least `min_length` letters and digits."""
    kinds = [unicodedata.category(character) for character in text]
    return "Lo" in kinds or sum(kind[0] in "LN" for kind in kinds) >= min_length


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


def _fit(image: NDArray[np.uint8], config: RapidOcrConfig) -> tuple[NDArray[np.uint8], float, tuple[int, int]]:
    """Return the image as shown to the models, its scale and the padding put left and on top of it, in pixels."""
    height, width = image.shape[:2]
    scale = min(max(config.side / min(height, width), 1.0), config.enlarge_limit)
    scale = min(scale, config.max_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown = image if size == (width, height) else cv2.resize(image, size, interpolation=method)
    shortest = max(SMALLEST_SIDE, -(-max(size) // MAX_ASPECT))
    left, top = (max(0, shortest - side) // 2 for side in size)
    right, bottom = (max(0, shortest - side - before) for side, before in zip(size, (left, top), strict=True))
    if left or top or right or bottom:
        shown = cv2.copyMakeBorder(shown, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8), scale, (left, top)

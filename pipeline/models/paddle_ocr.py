"""PaddleOCR: an RGB image -> text boxes, by PP-OCR models that lie in local folders; never from the network.

A model folder is what PaddleOCR calls one: `inference.yml` beside `inference.onnx` (engine onnxruntime, which needs no
paddlepaddle) or beside `inference.json` and `inference.pdiparams` (engine paddle).

Shapes: H height, W width; 3 = RGB, uint8.
"""

import hashlib
import logging
import os
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.models.gpu_number import chosen_gpu
from pipeline.models.shown_image import ReadingConfig, boxes_of, has_contrast, show_image
from schemas.errors import UserError
from schemas.home_path import HomePath
from schemas.model_files import file_digest
from schemas.text import TextBox

WEIGHTS = {"onnxruntime": ("inference.onnx",), "paddle": ("inference.json", "inference.pdiparams")}
SETTINGS = "inference.yml"
NOT_INSTALLED = "PaddleOCR is not installed: pip install 'mobius[ocr-paddle]', without constraints.txt"


class PaddleOcrConfig(ReadingConfig):
    """Where the models lie, who runs them, how an image is shown to them and which of their readings count."""

    detection: HomePath  # folder of the text detection model
    recognition: HomePath  # folder of the text recognition model
    engine: Literal["onnxruntime", "paddle"] = "onnxruntime"
    device: Literal["cpu", "gpu"] = "cpu"
    threads: int = Field(1, ge=1)  # of one reader on a CPU
    threshold: float = Field(0.3, gt=0, lt=1)  # of a pixel to count as text
    box_threshold: float = Field(0.5, gt=0, lt=1)  # mean over a box
    unclip_ratio: float = Field(1.6, ge=1, le=4)  # how far a box is grown around the shrunken text found
    batch_size: int = Field(6, ge=1)  # lines recognised at once


class PaddleOcr:
    """A TextReader; bounded in memory by `max_side` whatever the image size."""

    def __init__(self, config: PaddleOcrConfig) -> None:
        self.identity = paddle_ocr_identity(config)
        self._config = config
        self._engine = _open_engine(config)

    def read(self, image: NDArray[np.uint8]) -> list[TextBox]:
        """Find and recognise text in one RGB image (H, W, 3); polygons are in its pixels, reading order."""
        if not has_contrast(image):
            return []
        shown = show_image(image, self._config)
        (found,) = self._engine.predict(np.ascontiguousarray(shown.pixels[..., ::-1]))
        size = (image.shape[0], image.shape[1])
        texts, scores, polygons = found["rec_texts"], found["rec_scores"], found["rec_polys"]
        return boxes_of(texts, scores, polygons, shown=shown, size=size, config=self._config)


def open_paddle_ocr(config: PaddleOcrConfig) -> PaddleOcr:
    """Load the models; one reader serves one thread at a time.

    Raises UserError where the library, a folder or a file in it is missing.
    """
    return PaddleOcr(config)


def paddle_ocr_identity(config: PaddleOcrConfig) -> str:
    """Name and version of the library, its engine and the models; nothing is opened. Raises UserError."""
    try:
        version = metadata.version("paddleocr")
    except metadata.PackageNotFoundError as error:
        raise UserError(NOT_INSTALLED) from error
    return f"paddleocr-{config.engine}/{version} {paddle_ocr_digest(config)[:12]}"


def paddle_ocr_digest(config: PaddleOcrConfig) -> str:
    """sha256 in hex over the files of both model folders, by name and content. Raises UserError."""
    digest = hashlib.sha256()
    for folder in (config.detection, config.recognition):
        for path in _model_files(folder, config.engine):
            digest.update(path.name.encode() + b"\0" + file_digest(path).encode())
    return digest.hexdigest()


def _model_files(folder: Path, engine: str) -> list[Path]:
    paths = [folder / name for name in (*WEIGHTS[engine], SETTINGS)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"{folder}: no {' and no '.join(missing)}; engine {engine!r} of PaddleOCR wants a model folder "
            f"with {', '.join(path.name for path in paths)}"
        )
    return paths


def _open_engine(config: PaddleOcrConfig) -> Any:
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")  # else it looks for hosts at its import
    try:
        from paddleocr import PaddleOCR
    except ImportError as error:
        raise UserError(f"{NOT_INSTALLED} ({error})") from error
    logging.getLogger("paddlex").setLevel(logging.WARNING)
    try:
        return PaddleOCR(**_settings(config))
    except RuntimeError as error:  # its word for a device or an engine that is not here
        raise UserError(f"PaddleOCR does not open on {config.device} with engine {config.engine}: {error}") from error


def _settings(config: PaddleOcrConfig) -> dict[str, Any]:
    return {
        "text_detection_model_name": _model_name(config.detection),
        "text_detection_model_dir": str(config.detection),
        "text_recognition_model_name": _model_name(config.recognition),
        "text_recognition_model_dir": str(config.recognition),
        "text_recognition_batch_size": config.batch_size,
        "use_doc_orientation_classify": False,
        "use_doc_unwarping": False,
        "use_textline_orientation": False,
        "text_det_limit_type": "min",
        "text_det_limit_side_len": 32,  # we have resized already
        "text_det_thresh": config.threshold,
        "text_det_box_thresh": config.box_threshold,
        "text_det_unclip_ratio": config.unclip_ratio,
        "text_rec_score_thresh": config.min_score,
        "engine": config.engine,
        "device": _device(config),
        **_engine_settings(config),
    }


def _device(config: PaddleOcrConfig) -> str:
    number = chosen_gpu()
    return config.device if config.device == "cpu" or number is None else f"{config.device}:{number}"


def _engine_settings(config: PaddleOcrConfig) -> dict[str, Any]:
    if config.engine == "paddle":
        return {"cpu_threads": config.threads}
    return {"engine_config": {"intra_op_num_threads": config.threads, "inter_op_num_threads": 1}}


def _model_name(folder: Path) -> str:
    """Return the name that a model folder gives itself; the library compares it with the one it is told."""
    import yaml

    path = folder / SETTINGS
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["Global"]["model_name"])
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: says no Global.model_name: {error}") from error

"""Paddle folders: the PP-OCR models of the rapidocr wheel -> model folders as PaddleOCR wants them.

So PaddleOCR runs where there is no network, on the very weights that RapidOCR reads with.
"""

import shutil
from pathlib import Path
from typing import Any

from pipeline.models.rapid_ocr import rapid_ocr_models

DETECTION, RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"
_HALF = [0.5, 0.5, 0.5]


def lay_out_models(folder: Path) -> tuple[Path, Path]:
    """Write the folders of the detection and the recognition model below `folder` and return them.

    Their settings are RapidOCR's own, so that both libraries show the models the same pixels.
    """
    models = rapid_ocr_models()
    recognition = models / "PP-OCRv6_rec_small.onnx"
    return (
        _write(folder / DETECTION, models / "PP-OCRv6_det_small.onnx", _detection_settings()),
        _write(folder / RECOGNITION, recognition, _recognition_settings(recognition)),
    )


def _write(folder: Path, weights: Path, settings: dict[str, Any]) -> Path:
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, folder / "inference.onnx")
    text = yaml.safe_dump({"Global": {"model_name": folder.name}, **settings}, allow_unicode=True)
    (folder / "inference.yml").write_text(text, encoding="utf-8")
    return folder


def _detection_settings() -> dict[str, Any]:
    normalize = {"mean": _HALF, "std": _HALF, "scale": "1./255.", "order": "hwc"}
    return {
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
                {"DetResizeForTest": {"resize_long": 960}},
                {"NormalizeImage": normalize},
                {"ToCHWImage": None},
                {"KeepKeys": {"keep_keys": ["image", "shape"]}},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.5,
            "max_candidates": 1000,
            "unclip_ratio": 1.6,
            "use_dilation": True,
        },
    }


def _recognition_settings(weights: Path) -> dict[str, Any]:
    return {
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
                {"KeepKeys": {"keep_keys": ["image"]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": _characters(weights)},
    }


def _characters(weights: Path) -> list[str]:
    """Return the characters a recognition model knows, which its file carries, one a line."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    return str(session.get_modelmeta().custom_metadata_map["character"]).splitlines()

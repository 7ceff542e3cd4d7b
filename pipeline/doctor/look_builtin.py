"""Look at what needs no weights of its own, or has them in a package: OCR by RapidOCR, OpenCV, the embedded writers."""

from importlib import metadata

from pipeline.config import CurateConfig
from pipeline.doctor.report import ModelReport
from pipeline.models.rapid_ocr import rapid_ocr_digest, rapid_ocr_models
from pipeline.stages.table import STAGES

APACHE = "Apache-2.0"


def look_at_rapid_ocr(stage: str, config: CurateConfig) -> ModelReport:
    """Look at the models inside the rapidocr wheel."""
    models = rapid_ocr_models()
    return ModelReport(
        stage,
        "rapidocr",
        "PP-OCR",
        revision=f"{metadata.version('rapidocr')} {rapid_ocr_digest()[:12]}",
        where="in the package rapidocr",
        size_bytes=sum(path.stat().st_size for path in models.glob("*.onnx")),
        licence=APACHE,
        is_here=True,
    )


def look_at_opencv(stage: str, config: CurateConfig) -> ModelReport:
    """Look at the inpainting of OpenCV."""
    import cv2

    return ModelReport(
        stage,
        "opencv",
        config.clean.opencv.method,
        revision=cv2.__version__,
        where="in the package opencv-python-headless",
        licence=APACHE,
        is_here=True,
    )


def look_at_embedded(stage: str, config: CurateConfig) -> ModelReport:
    """Look at an embedded writer: it is part of this package."""
    identify = next(each.identify for each in STAGES if each.name == stage)
    name, _, version = identify(config.stage_config(stage)).removeprefix("embedded/").rpartition("-")
    return ModelReport(
        stage, "embedded", name, revision=version, where="in this package", licence="that of mobius", is_here=True
    )

"""Look at models that lie in files which are named one by one: PaddleOCR's folders, LaMa's weights."""

from dataclasses import replace

from pipeline.config import CurateConfig
from pipeline.doctor.devices import lacking_device
from pipeline.doctor.licence import NOT_STATED, licence_of
from pipeline.doctor.packages import lacking
from pipeline.doctor.report import ModelReport, Trouble
from pipeline.models.lama import BIG_LAMA_SHA256, NOT_INSTALLED, identify_lama
from pipeline.models.paddle_ocr import paddle_ocr_identity
from schemas.errors import UserError

BIG_LAMA_SOURCE = (
    "big-lama.pt, 205,669,692 bytes, as IOPaint publishes it (Sanster/models, release add_big_lama); "
    f"sha256 {BIG_LAMA_SHA256}"
)
PADDLE_SOURCE = (
    "folders of inference.yml beside inference.onnx, or beside inference.json and inference.pdiparams, as PaddleOCR "
    "publishes its models; pipeline.models.paddle_folders.lay_out_models makes two of those inside the rapidocr wheel"
)
SOURCES = {"lama": ("LaMa", BIG_LAMA_SOURCE), "paddleocr": ("PaddleOCR", PADDLE_SOURCE)}
"""By engine: what it is called, and what it wants."""

INSTALL_LAMA = NOT_INSTALLED.partition(": ")[2]
INSTALL_PADDLE = "pip install 'mobius[ocr-paddle]', without constraints.txt"
INSTALL_ENGINE = (
    "pip install paddlepaddle or paddlepaddle-gpu, as docs/models.md says; or set paddleocr.engine = 'onnxruntime'"
)


def look_at_lama(stage: str, config: CurateConfig) -> ModelReport:
    """Look at LaMa's weights, whose digest decides whether they are loaded at all."""
    lama = config.clean.lama
    assert lama is not None
    report = ModelReport(stage, "lama", lama.weights.name, where=str(lama.weights), device=lama.device)
    if lama.weights.is_file():
        report = replace(report, is_here=True, size_bytes=lama.weights.stat().st_size)
    trouble = lacking(["torch", "simple_lama_inpainting"], remedy=INSTALL_LAMA)
    if trouble is not None:
        return report.with_trouble(trouble)
    try:
        identity = identify_lama(lama)
    except UserError as error:
        return report.with_trouble(Trouble(str(error), f"get {BIG_LAMA_SOURCE}"))
    revision = identity.partition(" ")[2]
    licence = "Apache-2.0" if BIG_LAMA_SHA256.startswith(revision) else NOT_STATED
    return replace(report, revision=revision, licence=licence).with_trouble(lacking_device(lama.device))


def look_at_paddle_ocr(stage: str, config: CurateConfig) -> ModelReport:
    """Look at the model folders of PaddleOCR."""
    paddle = config.text.reader.paddleocr
    assert paddle is not None
    folders = (paddle.detection, paddle.recognition)
    report = ModelReport(
        stage,
        "paddleocr",
        " and ".join(folder.name for folder in folders),
        where=" and ".join(map(str, folders)),
        device=paddle.device,
    )
    if all(folder.is_dir() for folder in folders):
        size_bytes = sum(path.stat().st_size for folder in folders for path in folder.iterdir() if path.is_file())
        report = replace(report, is_here=True, size_bytes=size_bytes, licence=licence_of(*folders))
    trouble = lacking(["paddleocr", "yaml"], remedy=INSTALL_PADDLE)
    if trouble is None and paddle.engine == "paddle":
        trouble = lacking(["paddle"], remedy=INSTALL_ENGINE)
    if trouble is not None:
        return report.with_trouble(trouble)
    try:
        return replace(report, revision=paddle_ocr_identity(paddle).partition("/")[2])
    except UserError as error:
        return replace(report, is_here=False).with_trouble(Trouble(str(error), f"get {PADDLE_SOURCE}"))

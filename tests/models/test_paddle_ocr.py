"""PaddleOCR behind the TextReader protocol: the same readings and tracks as RapidOCR from the same weights, offline."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.media.decode import decode_clip
from pipeline.models.paddle_folders import lay_out_models
from pipeline.models.paddle_ocr import (
    PaddleOcr,
    PaddleOcrConfig,
    open_paddle_ocr,
    paddle_ocr_digest,
    paddle_ocr_identity,
)
from pipeline.models.rapid_ocr import RapidOcrConfig, open_rapid_ocr
from pipeline.models.readers import ReaderConfig, identify_reader, open_reader
from pipeline.text import TextConfig, find_text
from schemas.errors import UserError

needs_paddle = pytest.mark.skipif(
    find_spec("paddleocr") is None,
    reason="paddleocr is not installed: it wants older numpy and OpenCV than constraints.txt pins (make test-extras)",
)
MAX_OFF = 4.0  # pixels between corners; the two libraries unite boxes a little differently
NUM_COMPARED = 6  # captioned files of the sample, spread over all


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> PaddleOcrConfig:
    detection, recognition = lay_out_models(tmp_path_factory.mktemp("paddle"))
    return PaddleOcrConfig(detection=detection, recognition=recognition)


@pytest.fixture(scope="module")
def reader(config: PaddleOcrConfig) -> PaddleOcr:
    return open_paddle_ocr(config)


def written(text: str, *, size: tuple[int, int] = (200, 90), at: tuple[int, int] = (40, 30)) -> NDArray[np.uint8]:
    image = Image.new("RGB", size, (240, 230, 200))
    ImageDraw.Draw(image).text(at, text, font=ImageFont.load_default(30), fill=(20, 20, 60))
    return np.asarray(image)


@needs_paddle
@pytest.mark.parametrize("text", ["HELLO", "Good night", "OK 100"])
def test_it_reads_what_rapid_ocr_reads_where_it_reads_it(reader: PaddleOcr, text: str) -> None:
    image = written(text, size=(260, 100))
    (ours,) = reader.read(image)
    (theirs,) = open_rapid_ocr(RapidOcrConfig()).read(image)
    assert ours.text == theirs.text == text
    assert np.allclose(ours.polygon, theirs.polygon, atol=MAX_OFF)
    assert ours.score == pytest.approx(theirs.score, abs=0.05)


@needs_paddle
@pytest.mark.parametrize("factor", [0.5, 3])
def test_the_polygon_is_in_pixels_of_the_image_whatever_its_size(reader: PaddleOcr, factor: float) -> None:
    image = Image.fromarray(written("HELLO"))
    scaled = image.resize((round(200 * factor), round(90 * factor)), Image.Resampling.LANCZOS)
    (one,) = reader.read(np.asarray(image))
    (other,) = reader.read(np.asarray(scaled))
    assert other.text == "HELLO"
    assert np.allclose(np.array(other.polygon) / factor, one.polygon, atol=8)


@needs_paddle
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 3000), (3000, 2), (700, 1), (16, 16)])
def test_odd_images_are_read_without_an_error(reader: PaddleOcr, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert isinstance(reader.read(image), list)
    assert reader.read(np.full((*shape, 3), 7, np.uint8)) == []


@needs_paddle
def test_captions_of_the_sample_get_the_same_tracks_as_from_rapid_ocr(reader: PaddleOcr, corpus_sample: Path) -> None:
    rows = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    captioned = [row for row in rows if row.get("text_box")]
    rapid = open_rapid_ocr(RapidOcrConfig())
    for row in captioned[:: len(captioned) // NUM_COMPARED]:
        clip = decode_clip((corpus_sample / row["path"]).read_bytes())
        ours = find_text(clip, config=TextConfig(), reader=reader)
        theirs = find_text(clip, config=TextConfig(), reader=rapid)
        assert ours.text == theirs.text, row["path"]
        for track, other in zip(ours.tracks, theirs.tracks, strict=True):
            assert (track.first_frame, track.last_frame) == (other.first_frame, other.last_frame)
            for place, same in zip(track.places, other.places, strict=True):
                assert np.allclose(place.polygon, same.polygon, atol=MAX_OFF), row["path"]
        assert ours.ocr_model == reader.identity


@needs_paddle
def test_the_reader_is_opened_and_identified_by_name(config: PaddleOcrConfig) -> None:
    chosen = ReaderConfig(engine="paddleocr", paddleocr=config)
    assert open_reader(chosen).identity == identify_reader(chosen) == paddle_ocr_identity(config)


@needs_paddle
def test_the_device_does_not_change_the_identity_but_the_engine_and_the_weights_do(
    config: PaddleOcrConfig, tmp_path: Path
) -> None:
    assert paddle_ocr_identity(config) == paddle_ocr_identity(config.model_copy(update={"device": "gpu"}))
    detection, recognition = lay_out_models(tmp_path)
    moved = config.model_copy(update={"detection": detection, "recognition": recognition})
    assert paddle_ocr_identity(moved) == paddle_ocr_identity(config)
    with (recognition / "inference.yml").open("a", encoding="utf-8") as file:
        file.write("\n# another file\n")
    changed = paddle_ocr_identity(moved)
    assert changed != paddle_ocr_identity(config)


@needs_paddle
def test_a_folder_that_does_not_say_its_models_name_is_refused(tmp_path: Path) -> None:
    detection, recognition = lay_out_models(tmp_path)
    (recognition / "inference.yml").write_text("PostProcess: {}\n")
    with pytest.raises(UserError, match=r"says no Global\.model_name"):
        open_paddle_ocr(PaddleOcrConfig(detection=detection, recognition=recognition))


@needs_paddle
@pytest.mark.skipif(find_spec("paddle") is not None, reason="paddlepaddle is installed")
def test_an_engine_that_is_not_here_is_named(config: PaddleOcrConfig, tmp_path: Path) -> None:
    detection, recognition = lay_out_models(tmp_path)
    for folder in (detection, recognition):
        for name in ("inference.json", "inference.pdiparams"):
            (folder / name).write_text("{}")
    native = PaddleOcrConfig(detection=detection, recognition=recognition, engine="paddle")
    with pytest.raises(UserError, match=r"engine paddle: .*paddlepaddle"):
        open_paddle_ocr(native)


# What needs no PaddleOCR.


def test_missing_files_of_a_model_folder_are_named(config: PaddleOcrConfig, tmp_path: Path) -> None:
    elsewhere = config.model_copy(update={"recognition": tmp_path})
    with pytest.raises(UserError, match=r"no inference\.onnx and no inference\.yml"):
        paddle_ocr_digest(elsewhere)
    native = config.model_copy(update={"engine": "paddle"})
    with pytest.raises(UserError, match=r"no inference\.json and no inference\.pdiparams; engine 'paddle'"):
        paddle_ocr_digest(native)


def test_paddleocr_without_model_folders_is_a_mistake_of_the_config() -> None:
    with pytest.raises(ValueError, match=r"paddleocr\.detection"):
        ReaderConfig(engine="paddleocr")


@pytest.mark.skipif(find_spec("paddleocr") is not None, reason="paddleocr is installed")
def test_where_it_is_not_installed_one_is_told_how_to(config: PaddleOcrConfig) -> None:
    chosen = ReaderConfig(engine="paddleocr", paddleocr=config)
    for act in (open_reader, identify_reader):
        with pytest.raises(UserError, match=r"mobius\[ocr-paddle\]"):
            act(chosen)

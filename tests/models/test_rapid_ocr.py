"""RapidOCR behind the TextReader protocol: what is read, what is refused, and how much an image may cost."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.models.rapid_ocr import RapidOcr, RapidOcrConfig, open_rapid_ocr
from pipeline.models.shown_image import is_enough_text


@pytest.fixture(scope="module")
def reader() -> RapidOcr:
    return open_rapid_ocr(RapidOcrConfig())


def written(text: str, *, size: tuple[int, int] = (200, 90), at: tuple[int, int] = (40, 30)) -> NDArray[np.uint8]:
    image = Image.new("RGB", size, (240, 230, 200))
    ImageDraw.Draw(image).text(at, text, font=ImageFont.load_default(30), fill=(20, 20, 60))
    return np.asarray(image)


def test_a_word_is_read_where_it_stands(reader: RapidOcr) -> None:
    (box,) = reader.read(written("HELLO"))
    assert box.text == "HELLO"
    assert box.score >= 0.9
    xs, ys = box.polygon[::2], box.polygon[1::2]
    assert 20 <= min(xs) <= 48
    assert 120 <= max(xs) <= 170
    assert 15 <= min(ys) <= 45
    assert 55 <= max(ys) <= 80


@pytest.mark.parametrize("factor", [0.5, 3])
def test_the_polygon_is_in_pixels_of_the_image_whatever_its_size(reader: RapidOcr, factor: float) -> None:
    image = Image.fromarray(written("HELLO"))
    scaled = image.resize((round(200 * factor), round(90 * factor)), Image.Resampling.LANCZOS)
    (one,) = reader.read(np.asarray(image))
    (other,) = reader.read(np.asarray(scaled))
    assert other.text == "HELLO"
    assert np.allclose(np.array(other.polygon) / factor, one.polygon, atol=8)


def test_an_image_of_one_colour_is_not_even_shown_to_a_model(reader: RapidOcr) -> None:
    assert reader.read(np.full((50, 80, 3), 77, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 3000), (3000, 2), (1, 4000), (700, 1)])
def test_thin_images_are_read_without_an_error(reader: RapidOcr, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert isinstance(reader.read(image), list)


class SeenSizes:
    """Stands in for the library's engine and notes how large the images are that it is shown."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, image: NDArray[np.uint8]) -> SimpleNamespace:
        self.sizes.append((image.shape[0], image.shape[1]))
        return SimpleNamespace(txts=None)


@pytest.mark.parametrize("shape", [(1, 2), (2, 3000), (3000, 2), (1, 4000), (4000, 4000), (64, 64), (16, 16)])
def test_what_the_library_is_shown_is_bounded_on_both_sides(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, engine = open_rapid_ocr(RapidOcrConfig(side=224, max_side=320)), SeenSizes()
    monkeypatch.setattr(reader, "_engine", engine)
    reader.read(np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8))
    ((height, width),) = engine.sizes
    assert max(height, width) <= 320
    assert min(height, width) >= 40, "thin images are padded, or the library would enlarge them by itself"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("O", False), ("7", False), ("?!", False), ("", False), ("嘘", True), ("OK", True), ("12", True), ("好!", True)],
)
def test_one_letter_is_not_enough_but_one_chinese_character_is(text: str, expected: bool) -> None:
    assert is_enough_text(text, 2) is expected


def test_two_readers_agree_and_say_the_same_about_themselves(reader: RapidOcr) -> None:
    image = written("Good night", size=(240, 100))
    again = open_rapid_ocr(RapidOcrConfig())
    assert again.read(image) == reader.read(image) == reader.read(image)
    assert again.identity == reader.identity
    assert again.digest == reader.digest
    assert len(reader.digest) == 64

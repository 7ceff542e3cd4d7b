"""Cleaning puts back what was under the text, touches nothing else, and says so when it cannot."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.clean import CleanConfig, clean_clip
from pipeline.media.decode import decode_clip
from pipeline.models.opencv_inpaint import OpenCvInpaintConfig, open_opencv_inpaint
from pipeline.models.rapid_ocr import RapidOcr, RapidOcrConfig, open_rapid_ocr
from pipeline.text import TextConfig, find_text
from schemas.answers import CleanAnswer
from schemas.clip import Clip
from tests.text.drawing import ball, changed, draw_clip, word, word_on


@pytest.fixture(scope="module")
def reader() -> RapidOcr:
    return open_rapid_ocr(RapidOcrConfig())


def clean(clip: Clip, reader: RapidOcr, config: CleanConfig | None = None) -> tuple[CleanAnswer, Clip]:
    """Find and remove the text of a clip; return the answer and the clip as later stages see it."""
    text = find_text(clip, config=TextConfig(), reader=reader)
    inpainter = open_opencv_inpaint(OpenCvInpaintConfig())
    answer = clean_clip(clip, text, config=config or CleanConfig(), reader=reader, inpainter=inpainter)
    if answer.clean_media is None:
        return answer, clip
    frames = decode_clip(answer.clean_media).frames
    return answer, Clip(frames, tuple(answer.clean_run_lengths), clip.delays_ms)


def union_mask(answer: CleanAnswer) -> NDArray[np.bool_]:
    assert answer.clean_mask is not None
    with Image.open(io.BytesIO(answer.clean_mask)) as image:
        return np.asarray(image) > 0


def test_text_over_a_flat_ground_is_filled_exactly(reader: RapidOcr) -> None:
    answer, cleaned = clean(draw_clip(8, word_on(range(8))), reader)
    assert answer.clean_outcome == "cleaned"
    assert not changed(cleaned, draw_clip(8, ball)).any()
    assert answer.flat_pixels == answer.masked_pixels > 0
    assert (answer.recovered_pixels, answer.invented_pixels) == (0, 0)


def test_transparent_ground_becomes_transparent_again(reader: RapidOcr) -> None:
    clear = (0, 0, 0, 0)
    answer, cleaned = clean(draw_clip(8, word_on(range(8)), background=clear), reader)
    assert answer.clean_outcome == "cleaned"
    assert not changed(cleaned, draw_clip(8, ball, background=clear)).any()


def test_what_is_under_text_that_comes_and_goes_is_recovered(reader: RapidOcr) -> None:
    """The ground is noise, so nothing but another frame can know it."""
    noise = np.random.default_rng(1).integers(90, 160, (120, 160, 3), dtype=np.uint8)

    def draw(pen: ImageDraw.ImageDraw, index: int, *, frames: range) -> None:
        pen._image.paste(Image.fromarray(noise), (0, 0))
        word_on(frames)(pen, index)

    with_text = draw_clip(10, lambda pen, index: draw(pen, index, frames=range(3, 7)))
    without = draw_clip(10, lambda pen, index: draw(pen, index, frames=range(0)))
    answer, cleaned = clean(with_text, reader)
    assert answer.clean_outcome == "cleaned"
    assert not changed(cleaned, without).any()
    assert answer.recovered_pixels == answer.masked_pixels > 0


def test_pixels_outside_the_mask_are_identical(reader: RapidOcr) -> None:
    clip = draw_clip(8, lambda pen, index: (stripes(pen), word_on(range(8))(pen, index)))
    answer, cleaned = clean(clip, reader)
    assert answer.clean_outcome == "cleaned"
    touched = changed(cleaned, clip).any(axis=0)
    assert touched.any()
    assert not (touched & ~union_mask(answer)).any()


def stripes(pen: ImageDraw.ImageDraw) -> None:
    for top in range(0, 120, 12):
        pen.rectangle((0, top, 160, top + 5), fill=(120, 170, 210, 255))


def test_what_is_invented_over_a_still_ground_does_not_flicker(reader: RapidOcr) -> None:
    clip = draw_clip(8, lambda pen, index: (stripes(pen), word_on(range(8))(pen, index)))
    answer, cleaned = clean(clip, reader)
    assert answer.invented_pixels > 0
    inside = union_mask(answer)
    first = cleaned.frames[0][inside]
    assert all(np.array_equal(frame[inside], first) for frame in cleaned.frames)


def test_text_that_blinks_over_a_still_picture_leaves_one_frame(reader: RapidOcr) -> None:
    clip = draw_clip(6, lambda pen, index: word(pen, 30, 40) if index % 2 else None)
    answer, cleaned = clean(clip, reader)
    assert answer.clean_run_lengths == [6]
    assert cleaned.num_frames == 6
    assert len(cleaned.frames) == 1


def test_a_clip_without_text_is_left_alone(reader: RapidOcr) -> None:
    answer, _ = clean(draw_clip(5, ball), reader)
    assert (answer.clean_outcome, answer.clean_media, answer.clean_mask) == ("no_text", None, None)


def test_text_over_too_much_of_the_picture_is_kept_and_said(reader: RapidOcr) -> None:
    answer, _ = clean(draw_clip(4, word_on(range(4))), reader, CleanConfig(max_text_area=0.01))
    assert (answer.clean_outcome, answer.clean_reason) == ("kept_original", "text_too_large")
    assert answer.clean_media is None


class WordPainter:
    """An inpainter that invents the very text that was to go."""

    identity = "tests/word-painter"

    def inpaint(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        canvas = Image.fromarray(np.full_like(image, 235))
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        word(ImageDraw.Draw(canvas), int(columns[0]) + 3, int(rows[0]) - 3)
        return np.where(mask[..., None], np.asarray(canvas), image)


def test_text_that_can_still_be_read_fails_the_gate_and_keeps_the_original(reader: RapidOcr) -> None:
    clip = draw_clip(4, lambda pen, index: (stripes(pen), word_on(range(4))(pen, index)))
    text = find_text(clip, config=TextConfig(), reader=reader)
    answer = clean_clip(clip, text, config=CleanConfig(), reader=reader, inpainter=WordPainter())
    assert (answer.clean_outcome, answer.clean_reason) == ("kept_original", "residual_text")
    assert answer.residual_text
    assert answer.clean_media is None
    assert answer.inpaint_model == "tests/word-painter"


def test_nothing_is_read_any_more_in_the_cleaned_captions_of_the_sample(reader: RapidOcr, corpus_sample: Path) -> None:
    """A second reading of every frame of the cleaned clips: nothing in at least 90 % of them; outside, all equal."""
    rows = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    num_cleaned = num_empty = 0
    for row in [row for row in rows if row.get("text_box")][::2]:
        clip = decode_clip((corpus_sample / row["path"]).read_bytes())
        answer, cleaned = clean(clip, reader)
        if answer.clean_outcome != "cleaned":
            continue
        num_cleaned += 1
        num_empty += not find_text(cleaned, config=TextConfig(), reader=reader).tracks
        assert not (changed(cleaned, clip).any(axis=0) & ~union_mask(answer)).any(), row["path"]
    assert num_cleaned >= 15
    assert num_empty >= 0.9 * num_cleaned

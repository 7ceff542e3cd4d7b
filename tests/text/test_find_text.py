"""Burnt-in text becomes tracks: what it says, where it stands, from which frame to which."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageDraw

from pipeline.media.decode import decode_clip
from pipeline.models.rapid_ocr import RapidOcr, RapidOcrConfig, open_rapid_ocr
from pipeline.text import TextConfig, find_text
from pipeline.text.polygons import rasterise
from schemas.answers import TextAnswer
from schemas.clip import Clip
from tests.text.drawing import SIZE, WORD, ball, draw_clip, word, word_on


@pytest.fixture(scope="module")
def reader() -> RapidOcr:
    return open_rapid_ocr(RapidOcrConfig())


def find(clip: Clip, reader: RapidOcr) -> TextAnswer:
    return find_text(clip, config=TextConfig(), reader=reader)


def test_text_that_stands_still_is_one_track_over_all_frames(reader: RapidOcr) -> None:
    answer = find(draw_clip(12, word_on(range(12))), reader)
    (track,) = answer.tracks
    assert (track.text, track.language) == (WORD, "en")
    assert (track.first_frame, track.last_frame) == (0, 11)
    assert len({tuple(place.polygon) for place in track.places}) == 1, "one place, however OCR's boxes tremble"
    assert answer.text == WORD
    assert 0.05 < answer.text_area < 0.35


def test_text_on_some_frames_has_only_those(reader: RapidOcr) -> None:
    answer = find(draw_clip(12, word_on(range(3, 8))), reader)
    (track,) = answer.tracks
    assert (track.first_frame, track.last_frame) == (3, 7)


def test_text_that_moves_is_one_track_whose_area_is_the_union(reader: RapidOcr) -> None:
    def draw(pen: ImageDraw.ImageDraw, index: int) -> None:
        ball(pen, index)
        word(pen, 10, 4 + 5 * index)

    moving = find(draw_clip(10, draw), reader)
    (track,) = moving.tracks
    assert track.text == WORD
    assert (track.first_frame, track.last_frame) == (0, 9)
    still = find(draw_clip(10, word_on(range(10))), reader)
    assert moving.text_area > 1.5 * still.text_area


def test_a_clip_without_text_has_none(reader: RapidOcr) -> None:
    answer = find(draw_clip(8, ball), reader)
    assert (answer.tracks, answer.text, answer.text_area) == ([], "", 0)
    assert answer.num_frames_read > 0


@pytest.mark.parametrize("background", [(0, 0, 0, 0), (255, 255, 255, 255), (0, 0, 0, 255)])
def test_text_is_found_on_any_background(reader: RapidOcr, background: tuple[int, int, int, int]) -> None:
    answer = find(draw_clip(3, word_on(range(3)), background=background), reader)
    assert [track.text for track in answer.tracks] == [WORD]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (3000, 2), (1, 400)])
def test_extreme_shapes_are_read_in_bounded_memory(reader: RapidOcr, shape: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, *shape, 4), dtype=np.uint8)
    frames[..., 3] = 255
    answer = find(Clip(frames, (1, 1), (100, 100)), reader)
    assert 0 <= answer.text_area <= 1


def test_the_same_clip_gives_the_same_answer(reader: RapidOcr) -> None:
    clip = draw_clip(6, word_on(range(2, 6)))
    assert find(clip, reader) == find(clip, open_rapid_ocr(RapidOcrConfig()))


def test_captions_of_the_sample_are_found_where_they_are(reader: RapidOcr, corpus_sample: Path) -> None:
    """The 38 files with a drawn caption: union of the found boxes against the true box, IoU of at least one half."""
    rows = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    captioned = [row for row in rows if row.get("text_box")]
    assert len(captioned) == 38
    found = 0
    for row in captioned:
        answer = find(decode_clip((corpus_sample / row["path"]).read_bytes()), reader)
        found += overlap(answer, row["text_box"], (row["height"], row["width"])) >= 0.5
    assert found >= 36


def overlap(answer: TextAnswer, box: list[float], size: tuple[int, int]) -> float:
    """Return intersection over union of all found polygons and a true box x0, y0, x1, y1."""
    found = np.zeros(size, bool)
    for track in answer.tracks:
        for place in track.places:
            found |= rasterise(place.polygon, size)
    true = np.zeros(size, bool)
    true[round(box[1]) : round(box[3]), round(box[0]) : round(box[2])] = True
    return float((found & true).sum() / max((found | true).sum(), 1))


def test_frames_of_the_drawing_are_of_the_size_it_says() -> None:
    assert draw_clip(2, ball).frames.shape == (2, SIZE[1], SIZE[0], 4)

"""Strings: which readings are alike, which is believed, which language it is, and what may be a drawing."""

import pytest

from pipeline.text.believe import is_weak, may_be_text
from pipeline.text.link import Sighting
from pipeline.text.strings import believe, language, similarity, string_likeness
from schemas.text import TextBox

SMALL = [0.0, 0.0, 20.0, 0.0, 20.0, 20.0, 0.0, 20.0]
HUGE = [0.0, 0.0, 95.0, 0.0, 95.0, 95.0, 0.0, 95.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("笑死我了", "zh"),
        ("点赞666", "zh"),
        ("Good night!", "en"),
        ("好的OK", "mixed"),
        ("666", "other"),
        ("こんにちは", "other"),
        ("안녕", "other"),
        ("", "other"),
    ],
)
def test_language_follows_the_letters(text: str, expected: str) -> None:
    assert language(text) == expected


def test_spaces_case_and_width_do_not_make_strings_unlike() -> None:
    assert similarity("So Happy", "sohappy") == 1
    assert similarity("真的吗?", "真的吗?") == 1
    assert similarity("abcd", "wxyz") == 0


def test_two_signs_are_alike_only_if_equal() -> None:
    assert string_likeness("困了", "困的") == 0
    assert string_likeness("困了", "困了!") == 1
    assert string_likeness("哈哈哈哈", "哈哈哈") > 0.8


def test_the_string_with_most_evidence_is_believed() -> None:
    assert believe([("LOL", 0.9), ("L0L", 0.95), ("LOL", 0.8)]) == ("LOL", pytest.approx(0.85))


def sightings(text: str, polygon: list[float], num: int) -> list[Sighting]:
    return [Sighting(frame, TextBox(text, 0.99, polygon)) for frame in range(num)]


@pytest.mark.parametrize(
    ("text", "polygon", "votes", "expected"),
    [
        ("酷", SMALL, 8, True),
        ("酷", SMALL, 2, False),  # read on two of eight frames only
        ("日", HUGE, 8, False),  # a face taken for a character
        ("00", SMALL, 8, False),  # eyes
        ("OK", SMALL, 3, True),
        ("LOL", SMALL, 1, True),
        ("晚安", HUGE, 1, True),
    ],
)
def test_short_strings_must_be_small_and_read_again_and_again(
    text: str, polygon: list[float], votes: int, expected: bool
) -> None:
    judged = may_be_text(sightings(text, polygon, votes), (100, 100), num_read=8, max_glyph_area=0.3)
    assert judged is expected


def test_weak_is_what_a_drawing_may_pass_for() -> None:
    assert [text for text in ("哼", "OK", "7a", "晚安", "LOL", "a好") if is_weak(text)] == ["哼", "OK", "7a"]

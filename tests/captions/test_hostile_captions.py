"""Captions that a model was talked into: nothing hidden, nothing that a terminal obeys, nothing without end."""

import pytest

from pipeline.captions import CaptionCheckConfig, check_caption
from schemas.errors import BadCaption, TooLongText

PLAIN = CaptionCheckConfig(language_model="none")


@pytest.mark.parametrize(
    "hidden",
    ["\x1b", "\x07", "\0", "\x9b", "\x7f", "\u202e", "\u2066", "\u200f", "\u061c", "\U000e0041", "\ud800", "\ufeff"],
    ids=ascii,
)
@pytest.mark.parametrize(("text", "language"), [("A cat jumps over a box.", "en"), ("一只猫跳过一个盒子。", "zh")])
def test_what_does_not_print_is_taken_out(hidden: str, text: str, language: str) -> None:
    checked = check_caption(text[:3] + hidden + text[3:], PLAIN, language)
    assert checked == text
    assert checked.isprintable()


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\u2028", "\x85", "\t"], ids=ascii)
def test_a_caption_is_one_line(gap: str) -> None:
    assert check_caption(f"A cat jumps{gap}over a box.", PLAIN, "en") == "A cat jumps over a box."


@pytest.mark.parametrize("text", ["a cat " * 200_000, '"' * 1_000_000, "\\n" * 500_000, "猫" * 1_000_000, "<" * 10_001])
def test_a_flood_is_refused_before_any_pattern_is_tried(text: str) -> None:
    with pytest.raises(TooLongText, match=r"characters, at most 10,000") as caught:
        check_caption(text, PLAIN, "en")
    assert len(str(caught.value)) < 300


def test_a_long_caption_below_the_limit_is_judged_as_any_other() -> None:
    with pytest.raises(BadCaption):
        check_caption("a cat and " * 900, PLAIN, "en")

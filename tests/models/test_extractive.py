"""The extractive summary: facts of our own captions by their worth, whole sentences of any others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models.describe.reading import read_english
from pipeline.models.extractive import Extractive
from pipeline.models.grammar_zh import GrammarTranslator
from pipeline.text_tokens import count_tokens
from schemas.errors import RefusedText

PICTURE = (
    'A small square sticker tagged "laugh": a round yellow figure with black and red, centered,'
    " on a transparent background."
)
MOTION = (
    "The figure moves up and down by a fifth of the height about twice a second and cycles through several"
    " colors, with changes over half of the canvas, looping smoothly; 12 pictures in 1.2 seconds."
)


def summarize(texts, max_tokens=52):
    return Extractive().summarize([texts], max_tokens)[0]


def test_everything_is_said_where_there_is_room():
    summary = summarize([PICTURE, MOTION], 200)
    assert summary == f"{PICTURE} It{MOTION.removeprefix('The figure')}"


def test_within_the_text_encoder_the_tag_the_figure_and_the_movement_stay():
    assert summarize([PICTURE, MOTION]) == (
        'A sticker tagged "laugh": a round yellow figure with black and red.'
        " It moves up and down about twice a second and cycles through several colors."
    )


def test_the_less_room_the_less_is_said_and_never_something_else():
    full = read_english(summarize([PICTURE, MOTION], 200))
    lengths = []
    for max_tokens in range(16, 140):
        text = summarize([PICTURE, MOTION], max_tokens)
        assert count_tokens(text) <= max_tokens
        lengths.append(len(text))
        said = read_english(text)
        assert said is not None
        assert set(said.picture.colors) <= set(full.picture.colors)
        for name in ("label", "size", "format", "outline", "place", "background"):
            assert getattr(said.picture, name) in (None, getattr(full.picture, name))
        for name in ("hues", "rate", "stir", "loop", "length", "pulse", "turn", "blink"):
            assert getattr(said.motion, name) in (None, getattr(full.motion, name))
    assert lengths[0] < 60 < 200 < lengths[-1]


def test_a_summary_is_translatable_and_its_translation_fits_too():
    for max_tokens in (20, 30, 40, 52):
        (chinese,) = GrammarTranslator().translate([summarize([PICTURE, MOTION], max_tokens)])
        assert count_tokens(chinese) <= max_tokens


def test_a_label_of_chinese_is_counted_in_both_languages():
    picture = PICTURE.replace("laugh", "笑死我了哈哈哈哈哈哈哈哈哈")
    summary = summarize([picture, MOTION])
    (chinese,) = GrammarTranslator().translate([summary])
    assert "笑死我了" in summary
    assert "笑死我了" in chinese
    assert max(count_tokens(summary), count_tokens(chinese)) <= 52


def test_a_still_picture_keeps_its_one_caption():
    assert summarize([PICTURE]) == PICTURE
    assert summarize([PICTURE, "Nothing moves."]).endswith("Nothing moves.")


def test_a_figure_at_rest_keeps_what_stirs():
    motion = "The figure stays in place, with changes over a fifth of the canvas, mostly at the top."
    assert "with changes over a fifth of the canvas, mostly at the top" in summarize([PICTURE, motion])


def test_where_nothing_else_fits_a_grammar_sentence_is_cut_at_a_word():
    assert summarize([PICTURE], 7) == "A sticker."
    assert summarize([PICTURE], 4) == "A."


LLAVA = "The image shows a cartoon parrot. It has a big beak and is smiling. The background is plain white."
VIDEO = "The parrot bobs its head in a circle. Its feathers change color quickly."


def test_other_texts_are_taken_by_whole_sentences_first_ones_first():
    assert summarize([LLAVA, VIDEO], 500) == f"{LLAVA} {VIDEO}"
    assert summarize([LLAVA, VIDEO], 36) == "The image shows a cartoon parrot. The parrot bobs its head in a circle."


def test_a_grammar_caption_beside_another_text_is_taken_as_it_is():
    summary = summarize([PICTURE, VIDEO], 100)
    assert summary == f"{PICTURE} {VIDEO}"


def test_a_sentence_said_twice_is_kept_once():
    assert summarize([LLAVA, LLAVA], 500) == LLAVA


def test_a_single_sentence_that_is_too_long_is_cut_after_a_clause():
    text = "A parrot with green feathers, a large curved beak, and an enormous hat dances wildly around the room"
    assert summarize([text], 26) == "A parrot with green feathers, a large curved beak."
    assert summarize([text], 18) == "A parrot with green feathers."


def test_without_a_clause_it_is_cut_after_a_word():
    text = "A parrot with green feathers and a large curved beak and an enormous hat dances around"
    summary = summarize([text], 20)
    assert summary.endswith(".")
    assert text.startswith(summary[:-1])
    assert text[len(summary) - 1] == " "


def test_chinese_texts_are_cut_after_their_own_marks():
    assert summarize(["一只鹦鹉在跳舞。它的颜色不断变化。"], 11) == "一只鹦鹉在跳舞。"
    assert summarize(["一只绿色的鹦鹉，戴着一顶很大很大的帽子"], 12) == "一只绿色的鹦鹉."


def test_what_has_no_word_that_fits_is_refused():
    for texts in ([], [""], ["  "], ["x" * 1_000_000], [","]):
        with pytest.raises(RefusedText, match="52 tokens"):
            summarize(texts)


def test_a_megabyte_of_sentences_is_summarised_by_its_first():
    assert summarize(["A cat sleeps. " * 70_000]) == "A cat sleeps."


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=3), st.integers(3, 80))
def test_any_text_is_shortened_to_the_limit_or_refused(texts, max_tokens):
    try:
        summary = summarize(texts, max_tokens)
    except RefusedText:
        return
    assert summary.strip()
    assert count_tokens(summary) <= max_tokens


def test_the_samples_of_a_batch_do_not_mix():
    assert Extractive().summarize([[PICTURE], [LLAVA]], 500) == [PICTURE, LLAVA]

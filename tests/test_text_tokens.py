"""The token estimate against counts made by hand with the BERT-Chinese vocabulary, and on its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text_tokens import MAX_TEXT_TOKENS, NUM_MARKERS, count_tokens


def test_an_empty_text_costs_its_two_markers():
    assert count_tokens("") == count_tokens(" \n\t") == NUM_MARKERS == 2


def test_every_cjk_character_and_every_mark_is_a_token():
    assert count_tokens("黄色圆形图案，居中。") == 10 + NUM_MARKERS
    assert count_tokens("“！？”") == 4 + NUM_MARKERS


# Cut greedily by hand with the public vocabulary: sti... is "st ##ick ##er", and so on.
@pytest.mark.parametrize(
    ("text", "num_pieces"),
    [
        ("a small square sticker", 1 + 1 + 1 + 3),
        ("a round yellow figure with black and red", 1 + 2 + 3 + 3 + 1 + 1 + 1 + 1),
        ("on a transparent background.", 1 + 1 + 5 + 2 + 1),
        ("moves up and down by a fifth of the height", 2 + 1 + 1 + 1 + 1 + 1 + 3 + 1 + 1 + 2),
        ("about twice a second, looping smoothly", 1 + 1 + 1 + 1 + 1 + 3 + 4),
        ("12 pictures in 1.2 seconds", 1 + 3 + 1 + 3 + 2),
    ],
)
def test_the_words_of_our_own_captions_are_counted_exactly(text, num_pieces):
    assert count_tokens(text) == num_pieces + NUM_MARKERS


@pytest.mark.parametrize(
    ("word", "num_pieces"),
    [
        ("laugh", 2),
        ("azn", 3),
        ("afro", 2),
        ("gopher", 3),
        ("embarrassed", 5),
        ("turquoise", 5),
        ("smiling", 3),
    ],
)
def test_the_rule_for_other_words_is_never_below_the_true_count(word, num_pieces):
    assert num_pieces <= count_tokens(word) - NUM_MARKERS <= len(word)


def test_case_and_accents_do_not_matter():
    assert count_tokens("YELLOW Piñata") == count_tokens("yellow pinata")


def test_what_does_not_print_costs_nothing():
    assert count_tokens("sticker\x00\u200d") == count_tokens("sticker")
    assert count_tokens("\u200b\x07") == NUM_MARKERS


def test_a_word_too_long_for_the_tokenizer_is_one_unknown():
    assert count_tokens("x" * 101) == 1 + NUM_MARKERS
    assert count_tokens("x" * 100) > 40


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_text_costs_no_more_than_its_parts(first, second):
    assert count_tokens(f"{first} {second}") <= count_tokens(first) + count_tokens(second) - NUM_MARKERS


@given(st.text(alphabet=st.characters(max_codepoint=0x2FFF), max_size=60))
def test_the_estimate_lies_between_nothing_and_a_token_for_every_decomposed_character(text):
    assert NUM_MARKERS <= count_tokens(text) <= NUM_MARKERS + 4 * len(text)


def test_the_limit_is_that_of_chinese_clip():
    assert MAX_TEXT_TOKENS == 52

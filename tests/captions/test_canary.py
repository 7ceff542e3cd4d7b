"""The canary: what a model answers one by one and in a batch must agree."""

import pytest

from pipeline.captions import check_canary, run_canary
from schemas.errors import StageBroken

ALONE = [
    "A yellow face laughs with tears of joy.",
    "A cat waves.",
    "A round red heart beats about twice a second.",
    "一只猫在挥手。",
]


def test_equal_captions_pass_without_any_tolerance():
    check_canary(ALONE, ALONE, 0.0)
    check_canary([], [], 0.0)


def test_a_word_here_and_there_is_tolerated():
    batch = [ALONE[0].replace("joy", "laughter"), *ALONE[1:]]
    check_canary(ALONE, batch, 0.1)
    with pytest.raises(StageBroken, match="batch_size of 1"):
        check_canary(ALONE, batch, 0.01)


def test_blanks_and_case_make_no_difference():
    check_canary(["A cat  waves.\n"], ["a cat waves."], 0.0)


def test_answers_in_another_order_are_refused():
    with pytest.raises(StageBroken, match="differ from those made one by one"):
        check_canary(ALONE, [*ALONE[1:], ALONE[0]], 0.1)


def test_garbage_for_one_padded_sample_is_refused_and_shown():
    with pytest.raises(StageBroken, match="in the in the in the"):
        check_canary(ALONE, [ALONE[0], "in the in the in the", *ALONE[2:]], 0.1)


def test_a_batch_that_loses_a_sample_is_refused():
    with pytest.raises(StageBroken, match="4 samples gave 3"):
        check_canary(ALONE, ALONE[:3], 1.0)


class Padding:
    """A captioner that counts the words of its prompts: rightly, or with what it padded them with."""

    def __init__(self, *, is_masked: bool) -> None:
        self.is_masked = is_masked

    def caption(self, prompts):
        longest = max(len(prompt.split()) for prompt in prompts)
        lengths = [len(prompt.split()) if self.is_masked else longest for prompt in prompts]
        return [" ".join(["word"] * length) for length in lengths]


def test_a_model_that_reads_its_padding_is_found_out_on_samples_of_unlike_length():
    prompts = ["one", "one two three", "one two three four five six"]
    run_canary(Padding(is_masked=True).caption, prompts)
    with pytest.raises(StageBroken):
        run_canary(Padding(is_masked=False).caption, prompts)
    run_canary(Padding(is_masked=False).caption, ["one", "two"])  # equal lengths show nothing

"""A batch that raises is halved down to the sample to blame; a machine fault marks nobody."""

import errno
from collections.abc import Callable, Sequence

import pytest

from pipeline.blame import MAX_UNFORESEEN_IN_A_ROW, Failure, answer_or_blame
from pipeline.plan import StagePlan
from pipeline.stages.stage import Asked, Stage, StageInput, no_identity, no_model
from pipeline.stages.summary import SummaryConfig
from schemas.answers import SummaryAnswer
from schemas.errors import CorruptMedia, MachineFault, StageBroken
from schemas.sample import Sample


def make_inputs(num: int) -> list[StageInput]:
    return [StageInput(Sample(f"k{n}", "s", f"{n}.gif", "joy", "{}", b"", 0), answers={}) for n in range(num)]


def make_plan(look: Callable[[str], None], asked: list[list[str]] | None = None) -> StagePlan:
    """Build a stage that looks at each key and answers with it."""

    def answer(inputs: Sequence[StageInput], *, config: SummaryConfig, model: None) -> list[SummaryAnswer]:
        keys = [each.sample.key for each in inputs]
        if asked is not None:
            asked.append(keys)
        for key in keys:
            look(key)
        return [SummaryAnswer(key, "m") for key in keys]

    stage = Stage("summary", 1, Asked.ALL, (), no_identity, no_model, answer)
    return StagePlan(stage, SummaryConfig(), "f", frozenset())


def test_one_poisoned_sample_is_blamed_alone() -> None:
    def look(key: str) -> None:
        if key == "k5":
            raise CorruptMedia("five is broken")

    results = answer_or_blame(make_inputs(8), make_plan(look))
    assert results[5] == Failure("corrupt", "five is broken")
    others = [result.summary for result in results if isinstance(result, SummaryAnswer)]
    assert others == ["k0", "k1", "k2", "k3", "k4", "k6", "k7"]


def test_a_batch_that_works_is_asked_once() -> None:
    asked: list[list[str]] = []
    answer_or_blame(make_inputs(8), make_plan(lambda key: None, asked))
    assert len(asked) == 1


def test_an_unforeseen_error_is_one_samples_reason() -> None:
    def look(key: str) -> None:
        if key == "k2":
            raise IndexError("list index out of range")

    results = answer_or_blame(make_inputs(4), make_plan(look))
    assert results[2] == Failure("unforeseen", "IndexError: list index out of range")


def test_too_many_unforeseen_errors_in_a_row_stop_the_stage() -> None:
    def look(key: str) -> None:
        raise IndexError("a bug")

    with pytest.raises(StageBroken, match=f"{MAX_UNFORESEEN_IN_A_ROW} samples in a row .* IndexError: a bug"):
        answer_or_blame(make_inputs(MAX_UNFORESEEN_IN_A_ROW), make_plan(look))


@pytest.mark.parametrize(
    "error",
    [MemoryError(), ConnectionResetError(), TimeoutError(), OSError(errno.ENOSPC, "No space left on device")],
)
def test_a_fault_of_the_machine_marks_nobody(error: Exception) -> None:
    def look(key: str) -> None:
        if key == "k3":
            raise error

    with pytest.raises(MachineFault):
        answer_or_blame(make_inputs(8), make_plan(look))

"""Blame: a batch that raises -> the samples that made it raise, and answers for all the others."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ahead import Prepared
from pipeline.models.cache import open_model_once
from pipeline.plan import StagePlan
from pipeline.stages.stage import StageInput
from schemas.answers import Answer
from schemas.errors import MachineFault, SampleError, StageBroken, UserError
from schemas.storage import MACHINE_ERRNOS

UNFORESEEN = "unforeseen"
MAX_UNFORESEEN_IN_A_ROW = 10

_in_a_row: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a sample has no answer: a stable reason code, and a sentence."""

    reason: str
    detail: str


def answer_or_blame(
    batch: Sequence[StageInput], plan: StagePlan, prepared: Prepared[Any] | None = None
) -> list[Answer | Failure]:
    """Answer a batch; if it raises, halve it until the sample to blame stands alone.

    prepared: what was made ready for this batch, for a stage that has something to prepare.
    Raises MachineFault where the machine is to blame, and StageBroken after too many unforeseen errors in a row.
    """
    try:
        answers = _answer(batch, plan, prepared)
    except (MachineFault, StageBroken, UserError):
        raise
    except (MemoryError, ConnectionError, TimeoutError) as error:
        raise MachineFault(f"{plan.stage.name}: {type(error).__name__}: {error}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{plan.stage.name}: {errno.errorcode[error.errno or 0]}: {error}") from error
        if len(batch) > 1:
            middle = len(batch) // 2
            return answer_or_blame(batch[:middle], plan) + answer_or_blame(batch[middle:], plan)
        return [_blame(batch[0], error, plan)]
    assert len(answers) == len(batch), f"{plan.stage.name} gave {len(answers)} answers for {len(batch)} samples"
    _in_a_row[plan.stage.name] = 0
    return [Failure(each.reason, str(each)) if isinstance(each, SampleError) else each for each in answers]


def _answer(
    batch: Sequence[StageInput], plan: StagePlan, prepared: Prepared[Any] | None
) -> Sequence[Answer | SampleError]:
    stage, model = plan.stage, open_model_once(plan)
    if stage.prepare is None:
        return stage.answer(batch, config=plan.config, model=model)
    ready = stage.prepare(batch, model=model) if prepared is None else prepared.wait()
    return stage.answer(batch, config=plan.config, model=model, prepared=ready)


def _blame(each: StageInput, error: Exception, plan: StagePlan) -> Failure:
    if isinstance(error, SampleError):
        _in_a_row[plan.stage.name] = 0
        return Failure(error.reason, str(error))
    _in_a_row[plan.stage.name] = _in_a_row.get(plan.stage.name, 0) + 1
    if _in_a_row[plan.stage.name] >= MAX_UNFORESEEN_IN_A_ROW:
        raise StageBroken(
            f"stage {plan.stage.name}: {MAX_UNFORESEEN_IN_A_ROW} samples in a row failed without a known reason, "
            f"the last one {each.sample.path!r}: {type(error).__name__}: {error}"
        ) from error
    return Failure(UNFORESEEN, f"{type(error).__name__}: {error}")

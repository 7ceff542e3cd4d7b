"""Funnel: counts of fates -> for each training set the steps on its way, how many are left, and why others left."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.export.columns import TRAINING_SETS
from pipeline.fates import EXPORTED, PENDING
from pipeline.select import MEASURES, reasons_known_after

EARLY_REASONS = reasons_known_after(MEASURES[0])  # who is rejected for them is asked no further


@dataclass(frozen=True, slots=True)
class Loss:
    """Samples that went no further: their fate there, the reason, and how many."""

    fate: str
    stage: str
    reason: str | None
    num: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a set: what it is, how many are left after it, and who left at it."""

    name: str
    num_left: int
    losses: tuple[Loss, ...]


def funnel_steps(name: str, fates: Mapping[tuple[str, str, str | None], int]) -> list[Step]:
    """Return the steps of one set in the order in which data travels; the last one leaves the exported samples."""
    losses = [Loss(fate, stage, reason, num) for (fate, stage, reason), num in fates.items() if fate != EXPORTED]
    num_left = sum(fates.values())
    steps = [Step("came in", num_left, ())]
    for step in _order(name):
        of_step = sorted((loss for loss in losses if _step_of(loss) == step), key=lambda loss: -loss.num)
        num_left -= sum(loss.num for loss in of_step)
        if of_step or step in (*TRAINING_SETS[name].stages, "export"):
            steps.append(Step(step, num_left, tuple(of_step)))
    assert num_left == sum(num for (fate, _, _), num in fates.items() if fate == EXPORTED), "a loss at no step"
    return steps


def _order(name: str) -> list[str]:
    stages = TRAINING_SETS[name].stages
    first, *measured = stages[: len(MEASURES)]
    return ["ingest", first, "copies and labels", *measured, "thresholds", *stages[len(MEASURES) :], "export"]


def _step_of(loss: Loss) -> str:
    if loss.stage == "select":
        return "copies and labels" if loss.reason in EARLY_REASONS else "thresholds"
    assert loss.stage != "export" or loss.fate == PENDING, "export rejects nobody"
    return loss.stage

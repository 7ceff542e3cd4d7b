"""Run status: the newest run record and its life sign -> is a run going on, how far is it, how did it end."""

from dataclasses import asdict, dataclass
from typing import Any

from flows.life_sign import LifeSign, read_life_sign
from flows.runs import read_outcomes
from pipeline.root import DatasetRoot
from schemas.errors import UserError

RUNNING, ENDED_WITHOUT_A_WORD = "running", "ended without a word"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The newest run of a root; sign: its last sign of life, if it left one."""

    identity: str
    outcome: str  # running, done, stopped, failed, or ended without a word: killed
    sign: LifeSign | None

    @property
    def is_running(self) -> bool:
        return self.outcome == RUNNING

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        sign = None if self.sign is None else {**asdict(self.sign), "age_seconds": round(self.sign.age_seconds, 1)}
        return {"id": self.identity, "outcome": self.outcome, "progress": sign}


def read_run_status(root: DatasetRoot) -> RunStatus:
    """Return the status of the newest run; nothing is locked for it. Raises UserError if there was none."""
    newest = next(read_outcomes(root), None)
    if newest is None:
        expected = "expected a folder that `mobius curate` has written (runs/*.json)"
        raise UserError(f"{root.path}: no dataset root, {expected}")
    sign = read_life_sign(root, newest.identity)
    outcome = newest.outcome
    if outcome == RUNNING and (sign is None or not sign.is_alive):
        outcome = ENDED_WITHOUT_A_WORD
    return RunStatus(newest.identity, outcome, sign)

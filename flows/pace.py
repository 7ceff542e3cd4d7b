"""Pace: what was measured in this run and in earlier ones -> the time that is left, for a stage and for the run.

A stage that goes on has its own rate. For those to come, the samples still to do times what each took when the stage
last ran on this root, on as many workers. A stage that never ran is named, not guessed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.ledger import LEDGER, Ledger
from pipeline.root import DatasetRoot
from schemas.errors import MachineFault
from schemas.storage import list_finished

NUM_RECORDS = 5  # newest run records that are asked


@dataclass(frozen=True, slots=True)
class Measured:
    """What a stage once took on so many workers."""

    samples: int
    seconds: float
    workers: int

    @property
    def work_per_sample(self) -> float:
        """Seconds of one worker for one sample."""
        return self.seconds * self.workers / max(self.samples, 1)


@dataclass(frozen=True, slots=True)
class History:
    """Earlier runs of a root: what stages took, and what share of the ingested samples each was asked about."""

    measured: Mapping[str, Measured] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Seconds left for the stage and for the run; None where nothing is measured; not in them: `unmeasured` stages."""

    stage: float | None
    run: float | None
    unmeasured: tuple[str, ...] = ()


def time_left(
    stage_left: float | None,
    *,
    to_come: Sequence[str],
    history: History,
    workers: int,
    num_ingested: int,
    count_done: Callable[[str], int],
) -> TimeLeft:
    """Add up what is left. to_come: the stages after this one; count_done: how many samples one has done already."""
    unmeasured = [name for name in to_come if name not in history.measured or name not in history.shares]
    if stage_left is None:
        return TimeLeft(None, None, tuple(unmeasured))
    total = stage_left
    for name in to_come:
        if name not in unmeasured:
            num_left = max(0.0, history.shares[name] * num_ingested - count_done(name))
            total += num_left * history.measured[name].work_per_sample / workers
    return TimeLeft(stage_left, total, tuple(unmeasured))


def read_history(root: DatasetRoot) -> History:
    """Read the newest run records and the last account; what cannot be read is no history."""
    measured: dict[str, Measured] = {}
    with suppress(MachineFault):
        for path in list_finished(root.runs, suffix=".json")[-NUM_RECORDS:]:
            with suppress(MachineFault, OSError, ValueError, TypeError, AttributeError):
                record: dict[str, Any] = json.loads(path.read_bytes())
                measured |= {name: Measured(**each) for name, each in record.get("measured", {}).items()}
    with suppress(MachineFault, OSError, ValueError, TypeError, KeyError):
        return History(measured, _shares(LEDGER.validate_python(json.loads(root.account_path.read_bytes())["ledger"])))
    return History(measured)


def duration(seconds: float) -> str:
    """Write seconds as people say them: the two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((number for number, (count, _) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])


def recorded_pace(measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Return what a run record keeps of a run's pace."""
    return {name: asdict(each) for name, each in measured.items()}


def _shares(ledger: Ledger) -> dict[str, float]:
    num = max(ledger.ingested, 1)
    shares = {name: (each.ok + sum(each.failed.values())) / num for name, each in ledger.stages.items()}
    return shares | {f"export {name}": count / num for name, count in ledger.exported.items()}

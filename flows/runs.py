"""Run records: ROOT/runs/<id>.json says with which config and versions a run was made, and what came out."""

import contextlib
import dataclasses
import json
import platform
import secrets
import time
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from pydantic import ValidationError

from flows.pace import Measured, recorded_pace
from pipeline.config import CurateConfig
from pipeline.ledger import Ledger
from pipeline.plan import Plans, plan_stages, recorded_plans
from pipeline.report.runs import RunFacts
from pipeline.root import DatasetRoot
from pipeline.stop_sign import StopSign
from schemas.errors import UserError
from schemas.hidden import hide_secrets
from schemas.location import parse_location
from schemas.storage import is_empty, list_finished, write_text

PACKAGES = (
    "pillow",
    "numpy",
    "pyarrow",
    "duckdb",
    "opencv-python-headless",
    "rapidocr",
    "onnxruntime",
    "prefect",
)
RUNNING = "running"
OPTIONAL_PACKAGES = ("torch", "transformers", "openai", "opencc", "py3langid", "paddleocr", "simple-lama-inpainting")


@dataclasses.dataclass(slots=True)
class RunRecord:
    """The record of a run that goes on; written at its start and again at its end."""

    root: DatasetRoot
    config: CurateConfig
    identity: str = dataclasses.field(
        default_factory=lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(2)}"
    )
    started: float = dataclasses.field(default_factory=time.time)
    notes: list[str] = dataclasses.field(default_factory=list)
    measured: dict[str, Measured] = dataclasses.field(default_factory=dict)  # stage -> its pace in this run

    def note(self, sentence: str) -> None:
        """Add a sentence that the next record of this run will have."""
        self.notes.append(sentence)

    def write(self, outcome: str, ledger: Ledger | None = None, *, error: BaseException | None = None) -> None:
        """Write the record; `outcome` is running, done, stopped or failed (these two with the traceback)."""
        record = {
            "id": self.identity,
            "outcome": outcome,
            "started": datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds"),
            "wall_seconds": round(time.time() - self.started, 3),
            "config": self.config.model_dump(mode="json"),
            "fingerprints": {name: plan.fingerprint for name, plan in plan_stages(self.config).items()},
            "versions": {"python": platform.python_version(), **_versions()},
            "notes": self.notes,
            "measured": recorded_pace(self.measured),
            "error": [hide_secrets(line) for line in traceback.format_exception(error)] if error else None,
            "ledger": dataclasses.asdict(ledger) if ledger else None,
        }
        write_text(self.root.runs / f"{self.identity}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def read_last_run(root: DatasetRoot) -> tuple[CurateConfig, Plans]:
    """Return config and plans of the newest run of a dataset root. Raises UserError if there is none."""
    records = list_finished(root.runs, suffix=".json")
    if not records:
        expected = "expected a folder that `mobius curate` has written (runs/*.json)"
        raise UserError(f"{root.path}: no dataset root, {expected}")
    try:
        record: Any = json.loads(records[-1].read_bytes())
        config = CurateConfig.model_validate(record["config"]).model_copy(update={"root": str(root.path)})
        return config, recorded_plans(config, record["fingerprints"])
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{records[-1]}: not a run record that this version can read") from error


@dataclasses.dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a record says of a run: running, done, stopped or failed."""

    identity: str
    outcome: str
    fingerprints: frozenset[str]


def read_outcomes(root: DatasetRoot) -> Iterator[RunOutcome]:
    """Yield the outcomes of the runs of a root, the newest first. Raises UserError for a record that is none."""
    for path in reversed(list_finished(root.runs, suffix=".json")):
        try:
            record: Any = json.loads(path.read_bytes())
            yield RunOutcome(str(record["id"]), str(record["outcome"]), frozenset(record["fingerprints"].values()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path}: not a run record that this version can read") from error


def read_run_facts(root: DatasetRoot) -> Iterator[RunFacts]:
    """Yield what a report tells of the runs of a root, the newest first. Raises UserError for a record that is none."""
    for path in reversed(list_finished(root.runs, suffix=".json")):
        try:
            record: Any = json.loads(path.read_bytes())
            yield RunFacts(
                identity=str(record["id"]),
                outcome=str(record["outcome"]),
                started=str(record["started"]),
                wall_seconds=float(record["wall_seconds"]),
                settings=_settings(record["config"]),
                versions={name: str(version) for name, version in record["versions"].items()},
                fingerprints={name: str(digest) for name, digest in record["fingerprints"].items()},
                pace={
                    name: (int(each["samples"]), float(each["seconds"]))
                    for name, each in record.get("measured", {}).items()
                },
                notes=tuple(hide_secrets(str(note)) for note in record.get("notes", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path}: not a run record that this version can read") from error


def _settings(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return settings by section as text, what stands in no section under ""."""
    sections: dict[str, dict[str, str]] = {"": {}}
    for name, value in config.items():
        if isinstance(value, dict):
            texts = {key: json.dumps(each, ensure_ascii=False) for key, each in value.items()}
            sections[name] = {key: hide_secrets(text) for key, text in texts.items()}
        else:
            sections[""][name] = hide_secrets(str(value))
    return sections


def stop_orphans(root: DatasetRoot) -> None:
    """Put up the stop sign of every run that is recorded as running: whoever holds the root knows that none does.

    Its driver is dead, but on a cluster that outlives it tasks may still go on.
    """
    for path in list_finished(root.runs, suffix=".json"):
        with contextlib.suppress(ValueError, TypeError, KeyError):  # not a record: it tells of no run
            record: Any = json.loads(path.read_bytes())
            if record["outcome"] == RUNNING:
                StopSign(root, str(record["id"])).put_up()


def open_root(place: str) -> DatasetRoot:
    """Return the dataset root at a place. Raises UserError if there is nothing."""
    location = parse_location(place, key="ROOT")
    if is_empty(location):
        raise UserError(f"{place}: no such folder, expected a dataset root that `mobius curate` has written")
    return DatasetRoot(location)


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in PACKAGES}
    for name in OPTIONAL_PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found

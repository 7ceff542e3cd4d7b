"""Run records: whoever holds a root stops what runs that died have left behind."""

import json
from pathlib import Path

from flows.runs import stop_orphans
from pipeline.root import DatasetRoot


def test_runs_recorded_as_running_are_told_to_stop_and_others_are_not(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for name, outcome in (("1", "running"), ("2", "done"), ("3", "stopped"), ("4", "running")):
        (runs / f"{name}.json").write_text(json.dumps({"id": name, "outcome": outcome}))
    (runs / "5.json").write_text("of another program")
    stop_orphans(DatasetRoot(tmp_path))
    assert {path.name for path in runs.glob("*.stop")} == {"1.stop", "4.stop"}

"""Train log: numbers of every step -> OUTPUT/log.jsonl, one line each, the same however often the run was stopped."""

import json
import os
from pathlib import Path
from typing import Any


class TrainLog:
    """Lines of finished steps; steps beyond the checkpoint that a run goes on from are dropped at the start."""

    def __init__(self, path: Path, *, finished_steps: int) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= finished_steps]
        aside = path.with_name(f".{path.name}")
        aside.write_text("".join(kept), encoding="utf-8")
        aside.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, step: int, **numbers: Any) -> None:
        """Add a line about a step, counted from 1."""
        self._file.write(json.dumps({"step": step, **numbers}) + "\n")

    def flush(self) -> None:
        """Make sure that what was written is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self.flush()
        self._file.close()

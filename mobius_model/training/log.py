"""Train log: numbers of every step -> OUTPUT/log.jsonl, one line each, the same however often the run was stopped."""

import json
import math
import os
from pathlib import Path
from typing import Any

from schemas.storage import written_aside


class TrainLog:
    """Lines of finished steps; steps beyond the checkpoint that a run goes on from are dropped at the start."""

    def __init__(self, path: Path, *, finished_steps: int) -> None:
        path.touch()
        with (
            path.open(encoding="utf-8") as before,
            written_aside(path) as aside,
            aside.open("w", encoding="utf-8") as kept,
        ):
            for line in before:
                if line.endswith("\n") and json.loads(line)["step"] <= finished_steps:
                    kept.write(line)
        self._file = path.open("a", encoding="utf-8")

    def write(self, step: int, **numbers: Any) -> None:
        """Add a line about a step, counted from 1; what is infinite or no number becomes null, as JSON has neither."""
        finite = {
            name: None if isinstance(each, float) and not math.isfinite(each) else each
            for name, each in numbers.items()
        }
        self._file.write(json.dumps({"step": step, **finite}, allow_nan=False) + "\n")

    def flush(self) -> None:
        """Make sure that what was written is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self.flush()
        self._file.close()

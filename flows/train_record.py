"""Train record: what came of a training run -> OUTPUT/run.json, once the trainer has the folder for its own."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mobius_model.training.config import TrainConfig
from mobius_model.training.identity import versions
from schemas.storage import write_text


@dataclass(slots=True)
class TrainRecord:
    """What is known of a run while it goes; a trainer's first report says that nobody else writes to its folder."""

    config: TrainConfig
    began: float = field(default_factory=time.time)
    has_started: bool = False
    outcome: dict[str, Any] | None = None

    def start(self) -> None:
        """Note the trainer's first report: the folder is its own now, whatever was recorded there before."""
        if not self.has_started:
            self.has_started = True
            self.write("running")

    def write(self, outcome: str, **more: Any) -> None:
        """Write OUTPUT/run.json."""
        record = {
            "outcome": outcome,
            "started": datetime.fromtimestamp(self.began, UTC).isoformat(timespec="seconds"),
            "wall_seconds": round(time.time() - self.began, 3),
            "config": self.config.model_dump(mode="json"),
            "versions": {"python": platform.python_version(), **versions()},
            **more,
        }
        write_text(self.config.output_path / "run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def recorded(config: TrainConfig) -> Iterator[TrainRecord]:
    """Write down how the context goes and ends: running, done, failed or stopped; nothing before training."""
    record = TrainRecord(config)
    try:
        yield record
    except BaseException as error:
        if record.has_started:
            record.write("failed" if isinstance(error, Exception) else "stopped", error=str(error))
        raise
    if record.has_started:
        record.write("done", result=record.outcome)

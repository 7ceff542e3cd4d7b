"""Train record: what came of a training run -> OUTPUT/run.json, once the trainer has the folder for its own."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mobius_model.training.config import TrainConfig
from mobius_model.training.identity import versions
from schemas.storage import write_text


@dataclass(slots=True)
class TrainRecord:
    """What is known of a run while it goes; a trainer's first report says that nobody else writes to its folder."""

    has_started: bool = False
    outcome: dict[str, Any] | None = None


@contextmanager
def recorded(config: TrainConfig) -> Iterator[TrainRecord]:
    """Write down how the context ended: done, failed, or stopped from outside; nothing if training never started."""
    record, began = TrainRecord(), time.time()
    try:
        yield record
    except BaseException as error:
        if record.has_started:
            _write(config, began, "failed" if isinstance(error, Exception) else "stopped", error=str(error))
        raise
    if record.has_started:
        _write(config, began, "done", result=record.outcome)


def _write(config: TrainConfig, began: float, outcome: str, **more: Any) -> None:
    record = {
        "outcome": outcome,
        "started": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(time.time() - began, 3),
        "config": config.model_dump(mode="json"),
        "versions": {"python": platform.python_version(), **versions()},
        **more,
    }
    write_text(config.output_path / "run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")

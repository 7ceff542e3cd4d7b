"""Train as a process: `python -m mobius_model.train CONFIG.json`, alone or as one rank of torchrun.

With --launched, whoever started it reads reports from its standard output, one JSON object per line, and holds its
standard input open: where that ends, the launcher is gone, and so is this process.
"""

import dataclasses
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import diffusers
import transformers

from mobius_model.training.config import TrainConfig
from mobius_model.training.report import Report
from mobius_model.training.trainer import train
from schemas.errors import MobiusError, UserError

USER_ERROR, FAILURE = 2, 1


def main(arguments: list[str]) -> int:
    """Train; return the exit code: 2 if the user is to put something right, 1 if something failed."""
    is_launched = "--launched" in arguments
    (name,) = (argument for argument in arguments if argument != "--launched")
    if is_launched:
        threading.Thread(target=_end_with_launcher, daemon=True).start()
    tell = _tell_launcher if is_launched else _tell_person
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()  # a bar per file loaded tells nobody anything
    config = TrainConfig.model_validate_json(Path(name).read_bytes())
    try:
        outcome = train(config, progress=tell)
    except MobiusError as error:
        kind = type(error).__name__
        _write(sys.stdout, {"error": kind, "message": str(error)}) if is_launched else sys.stderr.write(f"{error}\n")
        return USER_ERROR if isinstance(error, UserError) else FAILURE
    if os.environ.get("RANK", "0") == "0":
        _write(sys.stdout, {"outcome": dataclasses.asdict(outcome)})
    return 0


def _tell_launcher(report: Report) -> None:
    _write(sys.stdout, {"report": type(report).__name__, **dataclasses.asdict(report)})


def _tell_person(report: Report) -> None:
    sys.stderr.write(f"{report}\n")


def _write(file: Any, message: dict[str, Any]) -> None:
    file.write(json.dumps(message) + "\n")
    file.flush()


def _end_with_launcher() -> None:
    while os.read(0, 1):
        pass
    os._exit(FAILURE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

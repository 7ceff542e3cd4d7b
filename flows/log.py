"""Log: events of a run -> one line each on standard error, as JSON or as text, from every process that works for it.

Lines hold names, counts and the first sentence of an error; never a label, a caption, a setting or a secret. What comes
from outside is escaped, so no file name can forge a line or move a terminal's cursor.
"""

import json
import logging
import os
import socket
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from pipeline.operations_config import LogConfig
from schemas.hidden import hide_secrets

MAX_VALUE_CHARACTERS = 300
SAID_ANYWAY = "run_ended"  # between bars: the command itself ends with the account, or with one sentence
LOGGER = logging.getLogger("mobius")


def use_log(config: LogConfig, run: str) -> None:
    """Make this process log as a run's config says; called again for the same run, nothing changes."""
    if LOGGER.handlers and (config, run) == getattr(LOGGER.handlers[0], "made_for", None):
        return
    handler = _StderrHandler((config, run))
    handler.setFormatter(_Formatter(run, is_json=config.format == "json"))
    if config.format == "bars":
        handler.addFilter(lambda record: record.getMessage() != SAID_ANYWAY)
    LOGGER.handlers = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.WARNING if config.format == "bars" else config.level.upper())


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event; fields are names, numbers and sentences. Where no run has set up the log, nothing is said."""
    if LOGGER.handlers:
        LOGGER.log(level, event, extra={"fields": fields})


def sentence_of(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment: bars put themselves in its place."""

    def __init__(self, made_for: tuple[LogConfig, str]) -> None:
        super().__init__()
        self.made_for = made_for

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Formatter(logging.Formatter):
    """Gives every line the same first keys: time, level, event, run, host, pid."""

    def __init__(self, run: str, *, is_json: bool) -> None:
        super().__init__()
        self._run, self._is_json = run, is_json

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        always: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "run": self._run,
        }
        always |= {"host": socket.gethostname(), "pid": os.getpid()}
        fields = {name: _bounded(value) for name, value in getattr(record, "fields", {}).items() if value is not None}
        if self._is_json:
            return json.dumps(always | fields)  # ASCII alone: no control or direction character passes
        written = " ".join(f"{name}={_as_text(value)}" for name, value in fields.items())
        return f"{time} {always['level']} {always['event']} {written}".rstrip()


def _bounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return value if isinstance(value, int) else hide_secrets(str(value))[:MAX_VALUE_CHARACTERS]


def _as_text(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') else json.dumps(text)

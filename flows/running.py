"""Running: what one run of the curate flow shares with whoever started it, within one process."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field

from flows.life_sign import giving_life_signs
from flows.log import log_event, sentence_of
from flows.runs import RunRecord
from flows.stopping import Stopping
from flows.watch import RunWatch
from pipeline.ledger import Ledger
from schemas.errors import Stopped


@dataclass(slots=True)
class CurateRun:
    """One run: its record, whether it is to stop, who watches it, and the account once it is written."""

    record: RunRecord
    stopping: Stopping
    watch: RunWatch
    ledger: Ledger | None = field(default=None)


_RUN: ContextVar[CurateRun] = ContextVar("curate_run")


def current_run() -> CurateRun:
    """Return the run that this flow belongs to."""
    return _RUN.get()


@contextmanager
def as_current(run: CurateRun) -> Iterator[None]:
    """Make a run the current one."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


@contextmanager
def recorded(run: CurateRun) -> Iterator[None]:
    """Record that a run goes on, and what became of it, even if its process has to be ended hard."""
    stopped = Stopped("asked to stop, and ended before it came to rest")
    run.stopping.before_hard_end(lambda: run.record.write("stopped", error=stopped))
    run.record.measured = run.watch.measured
    with giving_life_signs(run.record.root, run.record.identity, run.watch.look):
        run.record.write("running")
        log_event("run_started", root=str(run.record.root.path), engine=run.record.config.engine.name)
        try:
            yield
            run.record.write("done", run.ledger)
            _log_end(run, "done", level=logging.INFO)
        except BaseException as error:
            outcome, level = ("stopped", logging.INFO) if isinstance(error, Stopped) else ("failed", logging.ERROR)
            _log_end(run, outcome, level=level, error=sentence_of(error))
            run.record.write(outcome, error=error)
            raise
        finally:
            with suppress(Exception):
                run.stopping.sign.take_down()


def _log_end(run: CurateRun, outcome: str, *, level: int, error: str | None = None) -> None:
    exported = {} if run.ledger is None else {f"{name}_samples": num for name, num in run.ledger.exported.items()}
    seconds = time.time() - run.record.started
    log_event("run_ended", level=level, outcome=outcome, seconds=seconds, error=error, **exported)

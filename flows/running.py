"""Running: what one run of the curate flow shares with whoever started it, within one process."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field

from flows.runs import RunRecord
from flows.stopping import Stopping
from pipeline.ledger import Ledger
from schemas.errors import Stopped


@dataclass(slots=True)
class CurateRun:
    """One run: its record, whether it is to stop, and the account once it is written."""

    record: RunRecord
    stopping: Stopping
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
    run.record.write("running")
    try:
        yield
        run.record.write("done", run.ledger)
    except BaseException as error:
        run.record.write("stopped" if isinstance(error, Stopped) else "failed", error=error)
        raise
    finally:
        with suppress(Exception):
            run.stopping.sign.take_down()

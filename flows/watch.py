"""Watch: what the flow's own process sees of a run -> log lines, metrics, bars, life signs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flows.chunk_log import ChunkDone
from flows.life_sign import LifeSign
from flows.log import log_event
from flows.metrics import RunMetrics
from flows.pace import Measured, TimeLeft, duration, read_history, time_left
from flows.progress import StageBars
from pipeline.answers import count_rows
from pipeline.config import CurateConfig
from pipeline.export.columns import TRAINING_SETS
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from schemas.errors import MachineFault, UserError

Move = Callable[..., None]
MIN_SECONDS = 1.0  # before that a rate says nothing
SECONDS_BETWEEN_LINES = 60.0  # of the log, on how far a long stage is


class RunWatch:
    """Follows one run, stage by stage. The life sign looks at it from a thread of its own."""

    def __init__(self, config: CurateConfig) -> None:
        self.metrics = RunMetrics()
        self.measured: dict[str, Measured] = {}
        self._config = config
        self._root = DatasetRoot(config.root_path)
        self._history = read_history(self._root)
        self._order = ["ingest", *plan_stages(config), *(f"export {name}" for name in TRAINING_SETS)]
        self._lock = threading.Lock()
        self._now = LifeSign()
        self._since = time.monotonic()
        self._said = time.monotonic()
        self._note = ""  # beside the bar: time left for the run
        self._before = 0
        self._num_ingested = 0
        self._counted: dict[str, int] = {}
        self.metrics.started.set_to_current_time()

    @contextmanager
    def stage(self, name: str, total: int | None, bars: StageBars, *, before: int = 0) -> Iterator[Move]:
        """Follow a stage; gives how to move it: samples done by now, `total=` once known, `size_bytes=` of its files.

        before: of the samples that it will be moved by, so many were done by an earlier run.
        """
        move_bar = bars.follow(name, total)
        with self._lock:
            self._now, self._before, self._since = LifeSign(name, before, total), before, time.monotonic()
        log_event("stage_started", stage=name, samples=total)
        self.metrics.pending.labels(name).set(total or 0)

        def move(done: int, *, total: int | None = None, size_bytes: int | None = None) -> None:
            move_bar(done, total=total, note="" if done == (total or self._now.total) else self._note)
            self._move(name, done, total=total, size_bytes=size_bytes)

        yield move
        seconds = time.monotonic() - self._since
        done = self._now.done - before
        if name == "ingest":
            self._num_ingested = self._now.done
        if done:
            self.measured[name] = Measured(done, round(seconds, 3), self._config.engine.workers)
        self.metrics.pending.labels(name).set(0)
        log_event("stage_ended", stage=name, samples=done, seconds=seconds, per_second=done / max(seconds, 1e-9))

    def chunk_done(self, stage: str, done: ChunkDone) -> None:
        """Take note of a finished chunk and who did it."""
        self.metrics.count_chunk(stage, done.count, num_retries=done.num_retries)
        log_event(
            "chunk_done",
            stage=stage,
            worker=f"{done.host}/{done.pid}",
            answered=done.count.num_ok,
            failed=done.count.num_failed,
            seconds=done.seconds,
            retries=done.num_retries,
        )

    def look(self) -> LifeSign:
        """Return how far the run is, and tell the metrics what time is left."""
        with self._lock:
            now, num_new, seconds = self._now, self._now.done - self._before, time.monotonic() - self._since
        rate = num_new / seconds if num_new and seconds > MIN_SECONDS else None
        left = self._time_left(now, rate)
        if left.stage is not None and left.run is not None:
            self.metrics.stage_left.labels(now.stage).set(left.stage)
            self.metrics.left.set(left.run)
            self._note = f"run {'over ' if left.unmeasured else ''}{duration(left.run)}"
        if time.monotonic() - self._said > SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            log_event(
                "progress", stage=now.stage, samples=now.done, of=now.total, per_second=rate, seconds_left=left.run
            )
        return LifeSign(now.stage, now.done, now.total, rate, left.stage, left.run, left.unmeasured)

    def _move(self, name: str, done: int, *, total: int | None, size_bytes: int | None) -> None:
        with self._lock:
            new = max(0, done - self._now.done)
            total = self._now.total if total is None else total
            self._now = LifeSign(stage=name, done=max(done, self._now.done), total=total)
        self.metrics.samples.labels(name).inc(new)
        if total is not None:
            self.metrics.pending.labels(name).set(max(0, total - done))
        if size_bytes is not None:
            self.metrics.written.labels(name).set(size_bytes)

    def _time_left(self, now: LifeSign, rate: float | None) -> TimeLeft:
        if not now.stage or now.stage == "ingest":  # how many samples there will be is not known yet
            return TimeLeft(None, None)
        stage_left = None
        if now.total is not None:
            num_left, before = max(0, now.total - now.done), self._history.measured.get(now.stage)
            if rate or num_left == 0:
                stage_left = num_left / (rate or 1.0)
            elif before is not None:
                stage_left = num_left * before.work_per_sample / self._config.engine.workers
        return time_left(
            stage_left,
            to_come=self._order[self._order.index(now.stage) + 1 :],
            history=self._history,
            workers=self._config.engine.workers,
            num_ingested=self._num_ingested,
            count_done=self._count_done,
        )

    def _count_done(self, name: str) -> int:
        """Return how many samples a stage to come had done when it was first asked."""
        plan = plan_stages(self._config).get(name)
        if plan is not None and name not in self._counted:
            with suppress(MachineFault, UserError):
                self._counted[name] = count_rows(self._root.stage_folder(name, plan.fingerprint))
        return self._counted.get(name, 0)

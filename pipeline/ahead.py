"""Ahead: batches -> the same batches, each with what a thread prepared for it while the one before was answered."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Batch = TypeVar("Batch")
Ready = TypeVar("Ready")

DEPTH = 2  # batches in memory beside the one that is being answered


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Ready]):
    """What was prepared, or the error it ended with."""

    _future: "Future[tuple[Ready, float]]"

    def wait(self) -> Ready:
        """Return what was prepared, waiting for it if need be; raises what preparing raised."""
        return self._future.result()[0]

    def join(self) -> None:
        """Wait until it is done, whatever came of it."""
        self._future.exception()

    @property
    def cpu_seconds(self) -> float:
        """Processor time of its thread; 0 where it failed."""
        return 0.0 if self._future.exception() is not None else self._future.result()[1]


def prepare_ahead(
    batches: Iterable[Batch], prepare: Callable[[Batch], Ready]
) -> Generator[tuple[Batch, Prepared[Ready]], None, None]:
    """Yield every batch, in order, while one other thread reads and prepares those that follow, DEPTH of them at most.

    Raises what reading raised, after the batches before it.
    """
    source = iter(batches)

    def read() -> Batch | None:
        return next(source, None)

    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as thread:
        waiting: deque[tuple[Future[Batch | None], Future[tuple[Ready, float]]]] = deque()

        def begin() -> None:
            batch = thread.submit(read)
            waiting.append((batch, thread.submit(_timed, prepare, batch)))

        try:
            for _ in range(DEPTH):
                begin()
            while (batch := waiting[0][0].result()) is not None:
                ready = Prepared(waiting.popleft()[1])
                begin()
                yield batch, ready
        finally:
            thread.shutdown(wait=True, cancel_futures=True)


def _timed(prepare: Callable[[Batch], Ready], batch: "Future[Batch | None]") -> tuple[Ready, float]:
    """Prepare a batch that the same thread has just read."""
    read = batch.result()
    if read is None:
        raise EOFError("no more batches")
    started = time.thread_time()
    return prepare(read), time.thread_time() - started

"""Follow: submitted chunks -> what they did together, while somebody watches; or what one of them failed with.

Each future tells once that it is done, into a queue: to ask all of them again and again costs memory on some engines.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from logging import ERROR
from queue import Empty, SimpleQueue
from typing import Any

from prefect.futures import PrefectFuture

from flows.chunk_log import ChunkDone
from flows.log import log_event, sentence_of
from flows.running import CurateRun
from flows.tasks import FAULTS_OF_THE_MACHINE
from pipeline.chunk import ChunkCount
from schemas.errors import MachineFault, Stopped

SECONDS_BETWEEN_LOOKS = 1.0
LEAST_REST = 20.0  # times as long as the last look took: looking is to take a twentieth of the time, at most


def follow(
    stage: str,
    futures: Sequence[PrefectFuture[Any]],
    run: CurateRun,
    look: Callable[[], None],
    count: Callable[[ChunkCount], None] = lambda done: None,
) -> ChunkCount:
    """Wait for all futures; return what they did together, or raise what one of them raised.

    Every now and then `look` is called, and `count` with what those did that are done. Where the machine was to blame
    for a chunk that failed for good, the others go on: their work counts for the next run. After any other failure they
    are told to stop. Asked to stop, it goes on waiting: the workers have been told.
    """
    finished: SimpleQueue[PrefectFuture[Any]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(finished.put)
    failures: list[Exception] = []
    total, num_waiting, next_look = ChunkCount(), len(futures), time.monotonic()
    while num_waiting:
        with suppress(Empty):
            future = finished.get(timeout=max(0.0, next_look - time.monotonic()))
            num_waiting -= 1
            try:
                total += take_note(stage, future, run)
            except Exception as error:
                failures.append(error)
                react(stage, error, run)
            count(total)
        if time.monotonic() >= next_look:
            next_look = look_once(look)
    if futures:
        look_once(look)  # the last chunk may have come between two looks
    run.stopping.check()
    if failures:
        raise min(failures, key=is_followed_by_others)  # our own fault first, else the first of the machine's
    return total


def take_note(stage: str, future: PrefectFuture[Any], run: CurateRun) -> ChunkCount:
    """Tell the watch of a finished chunk; return what it did, or raise what it raised."""
    future.wait()  # takes the final state along; `result` alone would not on every engine
    done = future.result()
    assert isinstance(done, ChunkDone)
    run.watch.chunk_done(stage, done)
    return done.count


def react(stage: str, error: Exception, run: CurateRun) -> None:
    """Say at once that a chunk failed for good, which may be days before the last one is done."""
    if not isinstance(error, Stopped):
        log_event("chunk_failed", level=ERROR, stage=stage, reason=sentence_of(error))
    if not is_followed_by_others(error):
        run.stopping.tell_workers()


def is_followed_by_others(error: Exception) -> bool:
    """True if other chunks are to go on after this failure; also for those that were told to stop."""
    return isinstance(error, (Stopped, *FAULTS_OF_THE_MACHINE))


def look_once(look: Callable[[], None]) -> float:
    """Look, and return when to look again."""
    began = time.monotonic()
    with suppress(MachineFault):  # a store that is away for a moment: only the bar stands still
        look()
    ended = time.monotonic()
    return ended + max(SECONDS_BETWEEN_LOOKS, LEAST_REST * (ended - began))

"""Chunk log: what a worker says of its task, and what of it comes back to the run's own process."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import WARNING

from prefect.runtime import task_run

from flows.log import log_event, sentence_of, use_log
from pipeline.chunk import ChunkCount
from pipeline.config import CurateConfig
from schemas.errors import MachineFault, NoRoom


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """What one task did, where, in how many seconds, and how often it was tried again before."""

    count: ChunkCount
    host: str
    pid: int
    seconds: float
    num_retries: int


@contextmanager
def logged(config: CurateConfig, stage: str, run: str) -> Iterator[Callable[[ChunkCount], ChunkDone]]:
    """Log as the run does, on whatever machine this is, with every fault of it; gives how to sign what was done."""
    use_log(config.log, run)
    began = time.monotonic()

    def sign(count: ChunkCount) -> ChunkDone:
        retries = max(0, (task_run.run_count or 1) - 1)
        return ChunkDone(count, socket.gethostname(), os.getpid(), time.monotonic() - began, retries)

    try:
        yield sign
    except (MachineFault, OSError) as error:
        event = "no_room" if isinstance(error, NoRoom) else "machine_fault"
        log_event(event, level=WARNING, stage=stage, reason=sentence_of(error))
        raise

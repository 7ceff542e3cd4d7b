"""Loader: numbers -> what is made of each, in order, made ahead by processes.

Workers come from a fork server: forking the trainer itself is unsafe once torch and pyarrow have started threads, and
spawning costs 1 s for each iterator, validation's too, against 0.1 s (measured; the first start takes 1.8 s).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.context import BaseContext
from typing import Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from schemas.errors import MobiusError

Made = TypeVar("Made")

PRELOADED = ["mobius_model.data.clips"]
MADE_AHEAD_PER_WORKER = 2


def load_ahead(make: Callable[[int], Made], numbers: Iterable[int], *, num_workers: int) -> Iterator[Made]:
    """Yield make(number) for each number in order; `make` has to be picklable if there are workers.

    `numbers` may be endless: each worker is at most two ahead. Workers end with the iterator.
    Raises what `make` raises, as it was raised.
    """
    if num_workers == 0:
        yield from map(make, numbers)
        return
    loader = DataLoader(
        _Numbered(make),
        sampler=numbers,
        batch_size=None,
        num_workers=num_workers,
        prefetch_factor=MADE_AHEAD_PER_WORKER,
        collate_fn=_as_it_is,
        multiprocessing_context=_fork_server(),
        worker_init_fn=_begin_worker,
        generator=torch.Generator(),  # else the loader draws from the global one, and training depends on workers
    )
    for made in loader:
        if isinstance(made, MobiusError):
            raise made
        yield made


class _Numbered(Dataset[Made | MobiusError], Generic[Made]):
    """A map-style dataset whose index is the number."""

    def __init__(self, make: Callable[[int], Made]) -> None:
        self.make = make

    def __getitem__(self, number: int) -> Made | MobiusError:
        try:
            return self.make(number)
        except MobiusError as error:
            return error  # torch would wrap a traceback around its one sentence


def _as_it_is(made: Made) -> Made:
    return made


def _fork_server() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _begin_worker(worker: int) -> None:
    """Leave Ctrl-C to the trainer, and end when it dies: torch's own watch sees only the fork server, which waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_trainer, daemon=True).start()


def _end_with_trainer() -> None:
    trainer = multiprocessing.parent_process()
    assert trainer is not None, "a worker is always started by somebody"
    trainer.join()
    os._exit(1)

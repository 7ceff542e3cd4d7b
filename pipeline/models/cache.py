"""Open the model of a stage once per worker process (and thread: not every model may be shared), and keep it.

One at a time: stages come one after the other, and the models of two may not fit into a GPU together. The workers of
a cluster outlive stages and runs, so there a model that nobody has asked for some seconds is let go.
"""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from pipeline.models.gpu_number import chosen_gpu
from pipeline.models.writer import close
from pipeline.plan import StagePlan

IDLE_SECONDS = 5.0  # the chunks of a stage come one right after the other

_Opened = tuple[tuple[str, str, int | None], Any]
_opened: WeakKeyDictionary[threading.Thread, _Opened] = WeakKeyDictionary()


class _Idleness:
    """How many tasks this process works on, and the clock that runs while there are none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.num_busy = 0
        self.clock: threading.Timer | None = None


_idleness = _Idleness()


def open_model_once(plan: StagePlan) -> Any:
    """Return the stage's model, opened on first use; that of another stage, fingerprint or GPU gives way to it."""
    opened = _opened.get(threading.current_thread())
    wanted = (plan.stage.name, plan.fingerprint, chosen_gpu())
    if opened is None or opened[0] != wanted:
        if opened is not None:
            close_model()
        del opened  # or the old model would still be held while the new one is opened
        opened = (wanted, plan.stage.open_model(plan.config))
        sys.audit("mobius.opened", plan.stage.name)
        _opened[threading.current_thread()] = opened
    return opened[1]


def close_model() -> None:
    """Forget the model this thread has opened, and give back its memory and connections."""
    _close(threading.current_thread())
    _empty_cache()


@contextmanager
def closing_when_idle(seconds: float = IDLE_SECONDS) -> Iterator[None]:
    """Work on a task; if this process gets no other for so long afterwards, all its models are closed."""
    with _idleness.lock:
        _idleness.num_busy += 1
        if _idleness.clock is not None:
            _idleness.clock.cancel()
    try:
        yield
    finally:
        with _idleness.lock:
            _idleness.num_busy -= 1
            if not _idleness.num_busy:
                _idleness.clock = threading.Timer(seconds, _close_all_if_idle)
                _idleness.clock.daemon = True
                _idleness.clock.start()


def _close_all_if_idle() -> None:
    with _idleness.lock:
        if _idleness.num_busy:
            return
        for thread in list(_opened):
            _close(thread)
        _empty_cache()


def _close(thread: threading.Thread) -> None:
    opened = _opened.pop(thread, None)
    if opened is not None:
        close(opened[1])


def _empty_cache() -> None:
    torch = sys.modules.get("torch")  # loaded only if some model needed it
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()

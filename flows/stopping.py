"""Stopping: SIGTERM, SIGINT or a lost lease -> workers write what they have, and the run ends within half a minute.

A signal is noticed at once, whatever the main thread does: Python's wake-up descriptor is read by a thread. That puts
up the stop sign and starts a clock; when it has run out, the process ends in the middle of whatever still holds it.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from flows.log import log_event
from flows.process_end import leave_quietly
from pipeline.stop_sign import StopSign
from schemas.errors import MobiusError, Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 22.0  # orchestrators kill 30 seconds after their SIGTERM
EXIT_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
ASKED_BY_SIGNAL = "asked to stop by {}"


class Stopping:
    """Whether this run is to stop, and why; `check` raises the reason in whoever asks."""

    def __init__(self, sign: StopSign) -> None:
        self.sign = sign
        self.exit_code = 1
        self._reason: MobiusError | None = None
        self._lock = threading.Lock()
        self._at_deadline: list[Callable[[], None]] = []

    def before_hard_end(self, act: Callable[[], None]) -> None:
        """Add what is to be done before the process is ended hard."""
        self._at_deadline.append(act)

    def ask(self, reason: MobiusError, *, exit_code: int = 1) -> None:
        """Ask the run to stop, from any thread; only the first reason counts."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason, self.exit_code = reason, exit_code
        log_event("stop_asked", reason=str(reason))
        for act in (self.sign.put_up, self._start_clock):
            threading.Thread(target=act, daemon=True).start()

    def check(self) -> None:
        """Raise the reason if the run is to stop."""
        if self._reason is not None:
            raise self._reason

    def _start_clock(self) -> None:
        threading.Event().wait(GRACE_SECONDS)
        for act in self._at_deadline:
            with contextlib.suppress(Exception):
                act()
        leave_quietly(self.exit_code)


@contextmanager
def stop_on_signals(stopping: Stopping) -> Iterator[None]:
    """Turn signals into requests to stop while the context lasts. Outside the main thread nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    old_descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    old_handlers = {each: signal.signal(each, _ignore) for each in SIGNALS}
    threading.Thread(target=_read_signals, args=(reading, stopping), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(old_descriptor)
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        writing.close()  # ends the thread


def _read_signals(reading: socket.socket, stopping: Stopping) -> None:
    with reading:
        while numbers := reading.recv(64):
            for number in numbers:
                if number in SIGNALS:
                    known = signal.Signals(number)
                    stopping.ask(Stopped(ASKED_BY_SIGNAL.format(known.name)), exit_code=EXIT_CODES[known])


def _ignore(number: int, frame: FrameType | None) -> None:
    """Stand in for the default, which would end the process: the wake-up descriptor tells of the signal."""


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to workers too, to the run's own process."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)

"""Stopping: SIGTERM, SIGINT or a lost lease -> workers write what they have, and the run ends within half a minute.

A signal is noticed at once, whatever the main thread does: Python's wake-up descriptor is read by a thread. That puts
up the stop sign and starts a clock; when it has run out, the process ends in the middle of whatever still holds it.
Before there is a run to stop, while Prefect is being imported and its server started, a signal ends the command.
"""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from flows.log import log_event, sentence_of
from flows.process_end import leave_quietly
from pipeline.stop_sign import StopSign
from schemas.errors import MobiusError, Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 22.0  # orchestrators kill 30 seconds after their SIGTERM
LAST_ACTS_SECONDS = 3.0  # for what is done before the hard end: its store may be what holds the process
SECONDS_BETWEEN_TRIES = 2.0  # to put up the stop sign, at a store that is away
EXIT_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
ASKED_BY_SIGNAL = "asked to stop by {}"


class Stopping:
    """Whether this run is to stop, and why; `check` raises the reason in whoever asks."""

    def __init__(self, sign: StopSign) -> None:
        self.sign = sign
        self.exit_code = 1
        self._reason: MobiusError | None = None
        self._is_at_rest = threading.Event()
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
        for act in (self._put_up_sign, self._end_hard_when_time_is_over):
            threading.Thread(target=act, daemon=True).start()

    def tell_workers(self) -> None:
        """Let the workers stop and no more: the run goes on until they have, however long that takes."""
        threading.Thread(target=self._put_up_sign, daemon=True).start()

    def check(self) -> None:
        """Raise the reason if the run is to stop."""
        if self._reason is not None:
            raise self._reason

    @contextmanager
    def until_rest(self) -> Iterator[None]:
        """Stop the clock at the end of the context: the run has come to rest by itself, and its process may live on."""
        try:
            yield
        finally:
            self._is_at_rest.set()

    def _put_up_sign(self) -> None:
        while not self._is_at_rest.is_set():
            try:
                self.sign.put_up()
                return
            except (MobiusError, OSError) as error:
                log_event("no_stop_sign", level=logging.WARNING, reason=sentence_of(error))
                self._is_at_rest.wait(SECONDS_BETWEEN_TRIES)

    def _end_hard_when_time_is_over(self) -> None:
        if self._is_at_rest.wait(GRACE_SECONDS):
            return
        acting = threading.Thread(target=self._act_before_hard_end, daemon=True)
        acting.start()
        acting.join(LAST_ACTS_SECONDS)
        leave_quietly(self.exit_code)

    def _act_before_hard_end(self) -> None:
        for act in self._at_deadline:
            with contextlib.suppress(Exception):
                act()


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


@contextmanager
def leave_on_signals(say: Callable[[str], None]) -> Iterator[None]:
    """Say why and leave on a signal that comes before there is a run to stop, or after it."""

    def leave(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, _ignore)  # what is open gets closed
        known = signal.Signals(number)
        say(ASKED_BY_SIGNAL.format(known.name))
        raise SystemExit(EXIT_CODES[known])

    old_handlers = {each: signal.signal(each, leave) for each in SIGNALS}
    try:
        yield
    finally:
        for number, handler in old_handlers.items():
            signal.signal(number, handler)


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

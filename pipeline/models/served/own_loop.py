"""Own loop: coroutines of a synchronous caller -> their results, by an event loop in a thread of its own.

So a caller may itself run inside another loop, and its requests travel while it prepares the next ones.
"""

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class OwnLoop:
    """An event loop in a daemon thread; it ends with `close`, or when nobody holds it any more."""

    def __init__(self) -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_run, args=(loop,), name="served-models", daemon=True)
        thread.start()
        self._loop = loop
        self.close = weakref.finalize(self, _stop, loop, thread)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine; return its future result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join(timeout=5)

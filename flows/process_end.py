"""Process end: no process outlives the run it belongs to, and none ends with noise.

Native libraries complain at the end of an interpreter whose other threads still hold their objects (DuckDB's binding
lists every one of them). Everything of ours is flushed and closed by then, so processes leave without that teardown.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 1.0


def end_with_parent(parent: int, clean_up: Callable[[], None] = lambda: None) -> None:
    """Watch from a thread whether `parent`, who started this process, still is its parent; if not, end at once."""
    threading.Thread(target=_watch, args=(parent, clean_up), daemon=True).start()


def leave_quietly(exit_code: int = 0) -> None:
    """Flush both outputs and end this process at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def leave_quietly_at_exit() -> None:
    """Make this the last thing that happens when the interpreter ends by itself: handlers run last in, first out."""
    atexit.register(leave_quietly)


def _watch(parent: int, clean_up: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    clean_up()
    os._exit(1)

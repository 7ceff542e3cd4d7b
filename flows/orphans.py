"""Orphans: a process whose parent was killed ends itself, so that a killed run leaves nothing running."""

import os
import threading
import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 1.0


def end_with_parent(clean_up: Callable[[], None] = lambda: None) -> None:
    """Watch the parent from a thread; when it is gone, clean up and end this process at once."""
    threading.Thread(target=_watch, args=(os.getppid(), clean_up), daemon=True).start()


def _watch(parent: int, clean_up: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    clean_up()
    os._exit(1)

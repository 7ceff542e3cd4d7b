"""Lock: at most one process of this machine has a file; the lock is gone the moment that process is."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import UserError


@contextmanager
def locked(path: Path, *, busy: str) -> Iterator[None]:
    """Hold the lock of a file, made with its folders where it is missing. Raises UserError(busy) if another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(busy) from error
        yield

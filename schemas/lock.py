"""Lock: at most one process of this machine has a file; the lock is gone the moment that process is."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import UserError


@contextmanager
def locked(path: Path, *, busy: str) -> Iterator[None]:
    """Hold the lock of a file, made with its folders where it is missing.

    Raises UserError(busy) if another has it, and for a place that cannot be written or locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise UserError(f"{path.parent}: cannot be written ({error.strerror}), expected a folder that can") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(busy) from error
        except OSError as error:
            raise UserError(f"{path}: cannot be locked ({error.strerror}), expected a disk with file locks") from error
        yield

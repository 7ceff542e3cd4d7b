"""Lock: at most one run writes to a dataset root; the lock is gone the moment its process is."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.root import DatasetRoot
from schemas.errors import UserError

LOCK = "runs/lock"  # in every root that a run has written to


@contextmanager
def sole_run(root: DatasetRoot) -> Iterator[None]:
    """Hold the lock of a root. Raises UserError if another run on this machine has it."""
    root.runs.mkdir(parents=True, exist_ok=True)
    with (root.path / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{root.path}: another run is writing to this dataset root, wait for it or stop it"
            ) from error
        yield

"""Lock: at most one run writes to a dataset root."""

from contextlib import AbstractContextManager

from pipeline.root import DatasetRoot
from schemas.lock import locked

LOCK = "runs/lock"  # in every root that a run has written to


def sole_run(root: DatasetRoot) -> AbstractContextManager[None]:
    """Hold the lock of a root. Raises UserError if another run on this machine has it."""
    busy = f"{root.path}: another run is writing to this dataset root, wait for it or stop it"
    return locked(root.path / LOCK, busy=busy)

"""Lock: at most one run writes to a dataset root."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from pipeline.root import DatasetRoot
from schemas.lease import leased
from schemas.location import ObjectPath
from schemas.lock import locked

LOCK = "runs/lock"  # in every root on a disk that a run has written to


def sole_run(root: DatasetRoot, *, on_lost: Callable[[str], None]) -> AbstractContextManager[None]:
    """Hold the lock of a root, or in an object store its lease; `on_lost` is told why if we hold that no more.

    Raises UserError if another run has it.
    """
    busy = f"{root.path}: another run is writing to this dataset root, wait for it or stop it"
    if isinstance(root.path, ObjectPath):
        return leased(root.path / "runs", busy=busy, on_lost=on_lost)
    return locked(root.path / LOCK, busy=busy)

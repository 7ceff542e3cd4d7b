"""Set up each worker process of a local Dask cluster; Dask imports this by name before the first task."""

import os
from typing import Any

from flows.worker import start_worker


def dask_setup(worker: Any) -> None:
    """Make it a worker like those of the other engines: its parent is the run's own process."""
    start_worker(os.getppid())

"""Set up each worker process of a local Dask cluster; Dask imports this by name before the first task."""

import os
from typing import Any

from flows.process_end import end_with_parent, leave_quietly_at_exit
from pipeline.threads import use_one_thread_per_worker


def dask_setup(worker: Any) -> None:
    """Use one thread, and end without noise and not later than the run's own process."""
    end_with_parent(os.getppid())
    leave_quietly_at_exit()
    use_one_thread_per_worker()

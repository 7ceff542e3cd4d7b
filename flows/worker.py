"""Worker: a process that a local engine has started -> one that works for the run, and ends neither sooner nor later.

Ctrl-C and a scheduler's SIGTERM go to a whole process group, and would end a worker in the middle of what it could
still write. So workers leave the run's group; the run's own process tells them to stop.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flows.process_end import end_with_parent, leave_quietly_at_exit
from flows.stopping import ignore_interrupts
from pipeline.threads import use_one_thread_per_worker


def start_worker(parent: int) -> None:
    """Set up a worker process: one thread for each, a process group of its own, no life after the run's own process."""
    leave_group()
    end_with_parent(parent)
    leave_quietly_at_exit()
    ignore_interrupts()
    use_one_thread_per_worker()


def leave_group() -> None:
    """Give this process a group of its own; whoever leads a session has one."""
    with suppress(PermissionError):
        os.setpgid(0, 0)


class _Forks:
    """Whether processes that are started now leave the group; hooks on fork are for good, so one looks at this."""

    leave_group = False


@contextmanager
def started_in_own_groups() -> Iterator[None]:
    """Let what is started in this context by a fork that runs Python first, as Ray's processes are, leave the group."""
    _Forks.leave_group = True
    try:
        yield
    finally:
        _Forks.leave_group = False


def _after_fork() -> None:
    if _Forks.leave_group:
        leave_group()


os.register_at_fork(after_in_child=_after_fork)

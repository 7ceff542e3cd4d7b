"""Engines: a config value -> the Prefect task runner that schedules the chunks."""

import os
from collections.abc import Callable
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.process_end import end_with_parent, leave_quietly_at_exit
from flows.stopping import ignore_interrupts
from pipeline.config import EngineConfig
from pipeline.threads import use_one_thread_per_worker


def _processes(config: EngineConfig) -> TaskRunner[Any]:
    return ProcessPoolTaskRunner(max_workers=config.workers, initializer=start_worker, initargs=(os.getpid(),))


def _threads(config: EngineConfig) -> TaskRunner[Any]:
    use_one_thread_per_worker()
    return ThreadPoolTaskRunner(max_workers=config.workers)


ENGINES: dict[str, Callable[[EngineConfig], TaskRunner[Any]]] = {"processes": _processes, "threads": _threads}


def start_worker(parent: int) -> None:
    """Set up a worker process: one thread for each, and no life after the run's own process.

    It leaves the run's process group: Ctrl-C and a scheduler's SIGTERM go to a whole group, and would end it in the
    middle of what it could still write. The run's own process tells it to stop.
    """
    os.setpgid(0, 0)
    end_with_parent(parent)
    leave_quietly_at_exit()
    ignore_interrupts()
    use_one_thread_per_worker()


def open_engine(config: EngineConfig) -> TaskRunner[Any]:
    """Return the task runner of the configured engine."""
    return ENGINES[config.name](config)

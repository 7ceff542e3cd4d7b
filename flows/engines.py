"""Engines: a config value -> the Prefect task runner that schedules the chunks, and what each of its tasks takes.

`threads` and `processes` live in this machine; `dask` and `ray` also, unless their address names a cluster that is
there already. Such a cluster outlives the run.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.dask_engine import dask_resources, open_dask
from flows.ray_engine import gpu_of_ray_task, open_ray, ray_resources
from flows.worker import start_worker
from pipeline.config import CurateConfig
from pipeline.threads import use_one_thread_per_worker


@contextmanager
def _processes(config: CurateConfig) -> Iterator[TaskRunner[Any]]:
    yield ProcessPoolTaskRunner(max_workers=config.engine.workers, initializer=start_worker, initargs=(os.getpid(),))


@contextmanager
def _threads(config: CurateConfig) -> Iterator[TaskRunner[Any]]:
    use_one_thread_per_worker()
    yield ThreadPoolTaskRunner(max_workers=config.engine.workers)


ENGINES: dict[str, Callable[[CurateConfig], AbstractContextManager[TaskRunner[Any]]]] = {
    "processes": _processes,
    "threads": _threads,
    "dask": open_dask,
    "ray": open_ray,
}
RESOURCES: dict[str, Callable[[CurateConfig, str], AbstractContextManager[Any]]] = {
    "dask": dask_resources,
    "ray": ray_resources,
}


def open_engine(config: CurateConfig) -> AbstractContextManager[TaskRunner[Any]]:
    """Open the task runner of the configured engine, and whatever runs behind it, for as long as the context lasts.

    Raises UserError where the engine is not installed, nobody answers at its address, or no worker has what a stage
    takes.
    """
    return ENGINES[config.engine.name](config)


def with_resources(config: CurateConfig, stage: str) -> AbstractContextManager[Any]:
    """Ask the engine for what one task of a stage takes, for every task submitted in this context.

    stage: name of a stage, or export.
    """
    resources = RESOURCES.get(config.engine.name)
    return nullcontext() if resources is None else resources(config, stage)


def gpu_of_task(config: CurateConfig, number: int | None) -> int | None:
    """Return which of the GPUs that this process sees a task is to use; none: its model's own choice.

    number: of the task, where tasks of a stage are numbered. Dask places by worker, and its workers are started with
    one GPU to see each.
    """
    if config.engine.name == "ray":
        return gpu_of_ray_task()
    return None if number is None else number % config.engine.gpus

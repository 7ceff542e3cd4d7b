"""Dask: an address, or none -> Prefect's Dask task runner on that cluster, or on a local one of worker processes."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from flows.cluster import (
    ANSWER_SECONDS,
    nobody_answers,
    require_answer,
    require_packages,
    require_reachable_server,
    require_resources,
    resources_of,
)
from pipeline.config import CurateConfig
from pipeline.threads import use_one_thread_per_worker
from schemas.errors import UserError

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner

RESOURCE_NAMES = {
    "cpus": "CPU",
    "gpus": "GPU",
    "memory": "MEMORY",
}  # dask worker --resources "GPU=1 MEMORY=8e9"
QUIET = {"DASK_LOGGING__DISTRIBUTED": "critical"}  # for workers too; what fails is told by its task


@contextmanager
def open_dask(config: CurateConfig) -> Iterator["DaskTaskRunner"]:
    """Open a runner on the cluster of the config; a local one ends with the context, any other is left as it is.

    Raises UserError.
    """
    os.environ.update(QUIET)  # before the import, which reads it
    require_packages("dask", "distributed", "prefect_dask")
    from prefect_dask.task_runners import DaskTaskRunner

    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    address = config.engine.dask.address
    if address is not None:
        _require_cluster(address, config)
        yield DaskTaskRunner(address=address)
        return
    with _local_cluster(config.engine.workers) as cluster:
        yield DaskTaskRunner(address=cluster.scheduler_address, client_kwargs={"security": cluster.security})


def dask_resources(config: CurateConfig, stage: str) -> AbstractContextManager[Any]:
    """Place tasks on workers that were started with what the config asks for; on any, where it asks for nothing."""
    from dask import annotate

    if config.engine.dask.address is None:
        return nullcontext()
    asked = {RESOURCE_NAMES[setting]: amount for setting, amount in resources_of(config)[stage].items() if amount}
    return annotate(resources=asked) if asked else nullcontext()


@contextmanager
def _local_cluster(num_workers: int) -> Iterator[Any]:
    """Start worker processes of one thread each, on loopback and behind TLS keys that only this run has."""
    from dask import config as dask_config
    from distributed import LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="mobius-dask-", ignore_cleanup_errors=True) as folder,
        dask_config.set({"temporary-directory": folder}),
        LocalCluster(
            n_workers=num_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,  # what a worker may hold is our business: a nanny would kill it for a model
            security=True,
            preload=["flows.dask_worker"],
        ) as cluster,
    ):
        yield cluster


async def _ask_who_it_is(address: str) -> None:
    """Ask a scheduler; a client would wait for ever for what listens there and is none."""
    from distributed import Security
    from distributed.core import rpc

    async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
        await scheduler.identity(n_workers=0)


def _require_this_package(client: Any, address: str) -> None:
    """Let every worker use one thread. Raises UserError where it does not even know what is meant."""
    try:
        client.run_on_scheduler(use_one_thread_per_worker)  # it unpacks tasks too
        client.run(use_one_thread_per_worker)
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(
            f"engine.dask.address = {address!r}: its scheduler or workers cannot import this package "
            f"({type(error).__name__}), expected the same mobius and Python there as here"
        ) from error


def _require_cluster(address: str, config: CurateConfig) -> None:
    from distributed import Client

    key = "engine.dask.address"
    if address.startswith(("tcp://", "tls://")) or "://" not in address:
        require_answer(key, address)  # tells in no time what a client tries for long
    try:
        asyncio.run(asyncio.wait_for(_ask_who_it_is(address), ANSWER_SECONDS))
    except (OSError, ValueError, TypeError) as error:
        raise nobody_answers(key, address, error) from error
    with Client(address, timeout=ANSWER_SECONDS, set_as_default=False) as client:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        _require_this_package(client, address)
    grows = config.engine.dask.grows
    if not workers and not grows:
        raise UserError(
            f"engine.dask.address = {address!r}: the cluster has no workers, expected some, "
            "or engine.dask.grows = true if they will come"
        )
    require_reachable_server(worker["host"] for worker in workers)
    if not grows:
        require_resources(config, [worker["resources"] for worker in workers], RESOURCE_NAMES, key="engine.dask.grows")

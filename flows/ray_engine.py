"""Ray: an address, or none -> Prefect's Ray task runner on that cluster, or on a local one on loopback.

Ray names the GPU of a task, and sees to it that no two tasks get the same. What it does not do well by itself is to
use a worker process again: it would hide the other GPUs for good, and a process that has opened CUDA keeps the one it
saw first. So all GPUs of a node stay visible, and each task takes the one it was given.
"""

import logging
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from flows.cluster import (
    gpus_of,
    nobody_answers,
    require_answer,
    require_packages,
    require_reachable_server,
    require_resources,
)
from flows.worker import started_in_own_groups
from pipeline.config import CurateConfig
from schemas.errors import UserError

if TYPE_CHECKING:
    from prefect_ray import RayTaskRunner

RESOURCE_NAMES = {"cpus": "CPU", "gpus": "GPU", "memory": "memory"}
ALL_GPUS_VISIBLE = {"RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1"}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # read when Ray is imported: no address but 127.0.0.1
OBJECT_STORE_BYTES = 80 * 2**20  # tasks exchange names and counts; Ray accepts no less than 75 MB
HEALTH_SECONDS = 30.0
MAX_TEMPORARY = 28  # characters: sockets lie below it, 75 characters deeper, and their paths hold 107
VISIBLE = "CUDA_VISIBLE_DEVICES"

_visible_at_start = os.environ.get(VISIBLE)


@contextmanager
def open_ray(config: CurateConfig) -> Iterator["RayTaskRunner"]:
    """Open a runner on the cluster of the config; a local one ends with the context, any other is left as it is.

    Raises UserError.
    """
    address = config.engine.ray.address
    os.environ.update(QUIET)
    if address is None:
        os.environ.update({**LOOPBACK_ONLY, **ALL_GPUS_VISIBLE})
        os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
    require_packages("ray", "ray", "prefect_ray")
    import ray
    from prefect_ray import RayTaskRunner

    try:
        if address is None:
            with tempfile.TemporaryDirectory(prefix="mr-", dir=_temporary(), ignore_cleanup_errors=True) as folder:
                _start(config, folder)
                yield RayTaskRunner()  # takes the Ray that is there
                ray.shutdown()
        else:
            _connect(address)
            _require_cluster(config)
            yield RayTaskRunner()
    finally:
        ray.shutdown()  # a second time does nothing; of a cluster that was there it only takes leave


def ray_resources(config: CurateConfig, stage: str) -> AbstractContextManager[Any]:
    """Place tasks where their resources are free, and keep the process of each for the next: it holds the model."""
    import ray
    from prefect_ray.context import remote_options

    asked = config.engine.resources.of(stage)
    gpus = gpus_of(config, stage)
    if asked.gpus is None and not config.engine.ray.grows and not ray.cluster_resources().get("GPU"):
        gpus = 0.0  # no GPU anywhere, and none was asked for: models choose the processor
    options: dict[str, Any] = {"num_cpus": 1 if asked.cpus is None else asked.cpus, "num_gpus": gpus, "max_calls": 0}
    options |= {"memory": asked.memory} if asked.memory else {}
    placing: AbstractContextManager[Any] = remote_options(**options)
    return placing


def gpu_of_ray_task() -> int | None:
    """Return which of the GPUs that this process sees Ray gave to the task; without one, hide them all."""
    import ray

    given = [str(each) for each in ray.get_gpu_ids()]
    if not given:
        os.environ[VISIBLE] = ""
        return None
    if _visible_at_start is None:
        os.environ.pop(VISIBLE, None)
        return int(given[0])
    os.environ[VISIBLE] = _visible_at_start
    return _visible_at_start.split(",").index(given[0])


def _start(config: CurateConfig, folder: str) -> None:
    import ray

    with started_in_own_groups():
        ray.init(
            address="local",
            num_cpus=config.engine.workers,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            namespace="mobius",
            _temp_dir=folder,
        )
    _require_cluster(config)


def _connect(address: str) -> None:
    import ray

    key = "engine.ray.address"
    if address != "auto":
        require_answer(key, address)
        _require_head(key, address)
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            namespace="mobius",
            runtime_env={"env_vars": {**ALL_GPUS_VISIBLE, **QUIET}},
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise nobody_answers(key, address, error) from error


def _require_head(key: str, address: str) -> None:
    """Raise UserError if what listens there is no Ray, or another version: Ray itself would wait for minutes."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=HEALTH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise nobody_answers(key, address, TimeoutError("something listens there, but not Ray")) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().split("\n")[-1]
        if "AuthenticationError" in said:
            return  # a Ray it is; only a driver looks for the token in all its places
        raise nobody_answers(key, address, RuntimeError(said or "unhealthy")) from error


def _require_cluster(config: CurateConfig) -> None:
    """Raise UserError where the nodes cannot do what the config asks."""
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    if not nodes:
        raise UserError("engine.ray.address: the cluster has no nodes that are alive, expected one at least")
    require_reachable_server(node["NodeManagerAddress"] for node in nodes)
    if not config.engine.ray.grows:
        require_resources(config, [node["Resources"] for node in nodes], RESOURCE_NAMES, key="engine.ray.grows")


def _temporary() -> str:
    """Return a folder for Ray's sockets: the machine's own, unless its name is too long for them."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= MAX_TEMPORARY else "/tmp"  # noqa: S108, a folder of our own is made in it

"""Cluster: what the engines that have one share: is the engine installed, does an address answer, can its workers
reach Prefect's server and hold what a stage takes?
"""

import contextlib
import importlib
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL

from pipeline.config import CurateConfig
from pipeline.gpus import gpus_per_task
from pipeline.plan import plan_stages
from schemas.errors import UserError

ANSWER_SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def require_packages(engine: str, *packages: str) -> None:
    """Import what an engine needs. Raises UserError naming the extra that brings it."""
    for name in packages:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise UserError(
                f"engine.name = '{engine}': {error.name} is not installed, expected: pip install 'mobius[{engine}]'"
            ) from error


def require_answer(key: str, address: str) -> None:
    """Connect once. Raises UserError naming the key if nobody listens at host:port within seconds."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        if parts.hostname is None or parts.port is None:
            raise ValueError("no host:port")
        socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise nobody_answers(key, address, error) from error


def nobody_answers(key: str, address: str, error: BaseException) -> UserError:
    """Return the error of an address at which no cluster of this kind answers."""
    why = str(error).strip().split("\n")[0] or type(error).__name__
    return UserError(
        f"{key} = {address!r}: no such cluster answers there ({why[:200]}), expected that of a running one"
    )


def require_reachable_server(hosts: Iterable[str]) -> None:
    """Raise UserError if workers run on other machines while Prefect's server listens on this one's loopback only."""
    url = PREFECT_API_URL.value() or ""
    own = {*LOOPBACK, *_own_addresses()}
    others = sorted(set(hosts) - own)
    if others and urlsplit(url).hostname in LOOPBACK:
        raise UserError(
            f"PREFECT_API_URL = {url}: workers on {others[0]} cannot reach it, expected the URL of a Prefect server "
            "that all machines of the cluster see"
        )


def require_resources(
    config: CurateConfig, offers: Iterable[Mapping[str, float]], names: Mapping[str, str], *, key: str
) -> None:
    """Raise UserError if a stage asks for more than any one worker offers.

    offers: resource -> amount, of each worker. names: setting -> what the cluster calls it. key: the setting that
    says that workers may still come.
    """
    offered = list(offers)
    for stage, asked in resources_of(config).items():
        wanted = {setting: amount for setting, amount in asked.items() if setting in names and amount}
        if any(all(offer.get(names[each], 0) >= wanted[each] for each in wanted) for offer in offered):
            continue
        shown = ", ".join(f"{setting} = {amount:g}" for setting, amount in wanted.items())
        raise UserError(
            f"engine.resources.{stage}: no worker of the cluster offers {shown}; expected less, a worker that has it, "
            f"or {key} = true if one will come"
        )


def resources_of(config: CurateConfig) -> dict[str, dict[str, float]]:
    """Return stage -> setting -> amount, of what the config asks for by itself; defaults are left out."""
    stages = type(config.engine.resources).model_fields
    return {
        stage: {
            setting: float(amount)
            for setting, amount in config.engine.resources.of(stage).model_dump(exclude_none=True).items()
        }
        for stage in stages
    }


def gpus_of(config: CurateConfig, stage: str) -> float:
    """Return how much of a GPU a task of a stage takes; an export takes none unless told."""
    if stage == "export":
        return config.engine.resources.export.gpus or 0.0
    return gpus_per_task(config.engine, plan_stages(config)[stage])


def _own_addresses() -> set[str]:
    """Return the addresses under which this machine is known."""
    found = {socket.gethostname()}
    with contextlib.suppress(OSError):
        found |= {str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing: the system only picks the address it would send from
        found.add(probe.getsockname()[0])
    return found

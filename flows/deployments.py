"""Deployments: what a person fills in on Prefect's page -> the same run that `mobius curate` makes.

Prefect makes its form of the types below, and refuses what does not fit them before a run is scheduled. The rest of a
config stays in a file on the worker: its hundred settings make no form that anyone could read. Nothing here may be
secret, parameters are kept in Prefect's database: a config names the variable or the Secret block that holds a key.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.curate import run_curate
from flows.process_end import leave_quietly
from flows.ready import load_ready_config
from pipeline.engine_config import EngineName
from pipeline.ledger import Ledger

SETTING = r"^\s*[a-z0-9_]+(\.[a-z0-9_]+)*\s*="
FORBIDDEN = r"(api_key|password|token)\s*="  # keys that no config has: refused before they are written down

ConfigPath = Annotated[str, Field(min_length=1)]
Override = Annotated[str, Field(pattern=SETTING, json_schema_extra={"not": {"pattern": FORBIDDEN}})]


@flow(name="mobius-curate", flow_run_name=lambda: f"curate {first_given('root', 'config')}", persist_result=False)
def curate(
    config: ConfigPath,
    root: str = "",
    source: str = "",
    engine: EngineName | None = None,
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None,
    overrides: list[Override] = [],  # noqa: B006, Prefect shows None as a choice of its own
) -> State[None]:
    """Curate a source of labelled GIFs into training sets; what is answered already is not computed again.

    Args:
        config: TOML file where the worker runs, such as flows/configs/laptop.toml
        root: Dataset root to write to. Empty: as the config says
        source: Folder of labelled GIFs. Empty: as the config says
        engine: Who runs the tasks. None: as the config says
        workers: Tasks at the same time. None: as the config says
        overrides: Other settings of the config, as section.key=value, such as select.min_label_count=5. No secrets
    """
    given = {"root": root, "source.path": source, "engine.name": engine, "engine.workers": workers}
    loaded = load_ready_config(Path(config), [*filled_in(given), *overrides])
    with ended_without_server():
        return Completed(message=summary(run_curate(loaded)))


def summary(ledger: Ledger) -> str:
    """Say what came out in the one line that Prefect shows beside a run's state."""
    exported = ", ".join(f"{count:,} in {name}" for name, count in ledger.exported.items())
    quarantined = sum(sum(reasons.values()) for reasons in ledger.quarantined.values())
    return f"{ledger.ingested:,} samples ingested, exported {exported}; {quarantined:,} quarantined; the sums agree"


@contextmanager
def ended_without_server() -> Iterator[None]:
    """End this process at once if Prefect's server is gone: at its exit Prefect would try for 7 s to send each event.

    The run's own record is written by then, and the worker tells the server, when it is back, that the run crashed.
    """
    try:
        yield
    except httpx.TransportError as error:
        sys.stderr.write(f"mobius: Prefect's server is gone ({error}); start the run again to go on\n")
        leave_quietly(1)


def filled_in(values: dict[str, str | int | None]) -> Sequence[str]:
    """Write the fields that were filled in as settings; JSON's strings are TOML's too."""
    return [
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value not in (None, "")
    ]


def first_given(*parameters: str) -> Any:
    """Return the first of a run's parameters that has a value, for its name on the page."""
    given = runtime.flow_run.parameters
    return next((given[name] for name in parameters if given.get(name)), "")

"""A Prefect as it is deployed: PostgreSQL, a server on it, a worker; started for tests, gone after them."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import ROOT

DEADLINE_SECONDS = 300
NOBODY_OF_ALL = "nobody"
QUIET = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """Server and worker; `environment` is that of a client of theirs."""

    api: httpx.Client
    environment: Mapping[str, str]
    folder: Path

    def process_environment(self) -> dict[str, str]:
        """Return the whole environment of a process that talks to the server."""
        return {**os.environ, **self.environment}

    def prefect(self, *arguments: str) -> str:
        """Run the `prefect` command, which must succeed, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=ROOT,
            env=self.process_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert done.returncode == 0, f"prefect {' '.join(arguments)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def get(self, path: str) -> Any:
        return self.api.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.api.post(path, json=body).raise_for_status().json()

    def start(self, deployment: str, **parameters: Any) -> str:
        """Ask for a run of a deployment and return its id."""
        found = self.get(f"/deployments/name/{deployment}")
        return str(self.post(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"])

    def await_state(self, run: str, *types: str) -> dict[str, Any]:
        """Wait until a run is in a state of one of these types and return that state."""

        def look() -> dict[str, Any] | None:
            state: dict[str, Any] = self.get(f"/flow_runs/{run}")["state"]
            ended = state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
            assert state["type"] in types or not ended, f"{state['type']}: {state['message']}\n{self.logs(run)}"
            return state if state["type"] in types else None

        return wait_for(look, f"run {run} in state {' or '.join(types)}")

    def logs(self, run: str) -> str:
        """Return the log lines that the server keeps of a run."""
        rows = self.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"})
        return "\n".join(row["message"] for row in rows)


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """Call `look` until it returns something true and return that."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"no {what} after {DEADLINE_SECONDS} s")


def find_initdb() -> Path | None:
    """Return where PostgreSQL's programs are: in PATH, or where Debian puts them."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (installed[-1] if installed else None)
    return None if found is None else Path(found).resolve()


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Serve a new PostgreSQL cluster on loopback and return the URL that Prefect wants."""
    initdb = find_initdb()
    assert initdb is not None
    programs = initdb.parent
    account = _unprivileged()
    data = folder / "postgres"
    data.mkdir()
    if account:
        os.chown(data, account["user"], account["group"])
        for parent in (folder, *folder.parents):  # pytest's folders are for their owner alone
            if parent.stat().st_uid == os.getuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    port = free_port()
    with (folder / "postgres.log").open("wb") as log:
        setup = [programs / "initdb", "--pgdata", data, "--username=prefect", "--auth=trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(setup, check=True, stdout=log, stderr=log, cwd="/", **account)
        command = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", data, "-F"]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **account)
        try:
            wait_for(lambda: _accepts(port), "PostgreSQL")
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # its fast way to stop; SIGTERM would wait for clients
            server.wait(30)


@contextmanager
def running_server(folder: Path, database: str) -> Iterator[str]:
    """Serve Prefect on a database and return the URL of its API."""
    port = free_port()
    environment = {**_of_a_home(folder / "server"), "PREFECT_API_DATABASE_CONNECTION_URL": database}
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with _running(command, environment, folder / "server.log"):
        url = f"http://127.0.0.1:{port}/api"
        wait_for(lambda: _is_healthy(url), f"Prefect server ({folder / 'server.log'})")
        yield url


@contextmanager
def running_worker(folder: Path, url: str, **environment: str) -> Iterator[None]:
    """Work for the pool `mobius`."""
    environment = {**_of_a_home(folder / "worker"), "PREFECT_API_URL": url, **environment}
    with _running(["worker", "start", "--pool", "mobius", "--type", "process"], environment, folder / "worker.log"):
        yield


def client_environment(folder: Path, url: str) -> dict[str, str]:
    return {**_of_a_home(folder / "client"), "PREFECT_API_URL": url}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _of_a_home(home: Path) -> dict[str, str]:
    home.mkdir(exist_ok=True)
    return {**QUIET, "PREFECT_HOME": str(home)}


@contextmanager
def _running(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def _unprivileged() -> dict[str, Any]:
    """As whom PostgreSQL runs: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(NOBODY_OF_ALL)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return True
    except (OSError, urllib.error.URLError):
        return False

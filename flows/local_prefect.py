"""A Prefect of one's own: where no server is configured, a temporary one on loopback, gone when the run ends.

Import nothing of Prefect before `use_local_prefect` was called: it reads its settings on import.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.seed_database import keep_seed, lay_seed
from schemas.errors import MachineFault
from schemas.scratch import scratch_prefix

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # a server that is gone: kilobytes for each event not sent
    "PREFECT_API_REQUEST_TIMEOUT": "15",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
OWN_SERVER = "MOBIUS_OWN_PREFECT"
OWN = {
    OWN_SERVER: "1",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_CLIENT_MAX_RETRIES": "2",  # nobody starts it again
}
START_SECONDS = 180.0
STOP_SECONDS = 3.0


@contextmanager
def use_local_prefect() -> Iterator[None]:
    """Keep Prefect quiet and, unless a server is configured, run one for as long as the context lasts.

    All workers talk to that one server; its database lies in a temporary folder. Raises MachineFault if it cannot
    be started.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if _is_configured():
        yield
        return
    home = tempfile.mkdtemp(prefix=scratch_prefix("prefect"))
    os.environ.update({"PREFECT_HOME": home, **OWN})
    os.environ.pop("PREFECT_PROFILE", None)
    port = _free_port()
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    is_seeded = lay_seed(Path(home))
    command = [sys.executable, "-m", "flows.own_server", str(port), home, str(os.getpid())]
    with (Path(home) / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # signals to the run's group are for the run, which needs its server to stop in peace
        )
    try:
        import prefect.flows  # noqa: F401, while the server does the same

        _wait_until_healthy(server, port, Path(home) / "server.log")
        if not is_seeded:
            keep_seed(Path(home))
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
        server.kill()
        server.wait()
        shutil.rmtree(home, ignore_errors=True)


def is_own_server() -> bool:
    """True if the server is our temporary one, which nobody looks at."""
    return OWN_SERVER in os.environ


def _is_configured() -> bool:
    """True if the environment or the active Prefect profile names a server."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    try:
        profiles = tomllib.loads((home / "profiles.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    return bool(profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise MachineFault(f"the temporary Prefect server did not start: {log.read_text(errors='replace')[-2000:]}")

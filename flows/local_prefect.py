"""A Prefect of one's own: where no server is configured, a temporary one on loopback, gone when the run ends.

Import nothing of Prefect before `use_local_prefect` was called: it reads its settings on import.
"""

import atexit
import os
import shutil
import tempfile

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
TEMPORARY = {
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
}


def use_local_prefect() -> None:
    """Set what is not set yet: a throw-away PREFECT_HOME unless a server is configured, quiet logs, no telemetry."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if os.environ.get("PREFECT_API_URL") or os.environ.get("PREFECT_HOME") or os.environ.get("PREFECT_PROFILE"):
        return
    home = tempfile.mkdtemp(prefix="mobius-prefect-")
    os.environ["PREFECT_HOME"] = home
    for name, value in TEMPORARY.items():
        os.environ.setdefault(name, value)
    owner = os.getpid()
    atexit.register(_remove, home, owner)


def _remove(home: str, owner: int) -> None:
    """Remove the folder in the process that made it; a forked child that ends must not."""
    if os.getpid() == owner:
        shutil.rmtree(home, ignore_errors=True)

"""One Prefect server for all flow tests, and the real corpora curated once."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.seed_database import lay_seed
from tests.conftest import ROOT
from tests.flows.mobius import Mobius

SERVER_START_SECONDS = 180
IDLE_SERVICES = ("SCHEDULER", "LATE_RUNS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP", "FOREMAN")
"""What deployments need and no test of this server has; each looks into the database every few seconds."""


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Prefect server of the tests keeps its database and its log."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_url(prefect_home: Path) -> Iterator[str]:
    """A real Prefect server on loopback, with a database of its own."""
    home = prefect_home
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in IDLE_SERVICES},
    }
    lay_seed(home)
    environment.pop("PREFECT_API_URL", None)
    command = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-ui",
    ]
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}/api"
    try:
        _wait_until_healthy(f"{url}/health", server, home / "server.log")
        yield url
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SERVER_START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no Prefect server after {SERVER_START_SECONDS} s: {log.read_text()}")


@pytest.fixture(scope="session")
def mobius(prefect_url: str) -> Mobius:
    """The command line, in a process of its own."""
    return Mobius({"PREFECT_API_URL": prefect_url, "PREFECT_HOME": ""}, ROOT)


@pytest.fixture(scope="session")
def curated_sample(mobius: Mobius, corpus_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 531 sample files, labels counted from 5 on.

    One frame of each is read for text, and one of each that is cleaned: reading and cleaning have their own tests. The
    processes of a parallel run share it, so tests only read it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    root = folder / "sample" / "dataset"
    few_readings = ("text.max_frames_read=1", "clean.max_frames_checked=1")
    with (folder / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        if not (root / "fates.parquet").exists():  # which a run writes last
            mobius.curate(root, corpus_sample, "select.min_label_count=5", *few_readings)
    return root


@pytest.fixture(scope="session")
def hostile_source(corpus_hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 153 hostile files as one folder per group, the ten of names.tar unpacked."""
    source = tmp_path_factory.mktemp("hostile") / "source"
    for name in ("pillow", "image-gif", "wuffs", "made", "dups"):
        shutil.copytree(corpus_hostile / name, source / name)
    with tarfile.open(corpus_hostile / "names.tar") as archive:
        archive.extractall(source, filter="data")
    return source

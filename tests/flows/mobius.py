"""Drive the `mobius` command as a user does: a process, its exit code, its two outputs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Mobius:
    """The command line with a fixed environment; a value of "" removes a variable."""

    environment: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, whatever the exit code."""
        with self.start(*arguments, **environment) as process:
            output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def ok(self, *arguments: str) -> str:
        """Run a command that must succeed and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[-4000:]}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def curate(self, root: Path, source: Path, *overrides: str) -> Any:
        """Curate with the laptop's config and return the ledger."""
        return self.json(*curate_arguments(root, source, *overrides))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a process group of its own, so that it can be killed as a whole."""
        merged = {**os.environ, **self.environment, **environment}
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=self.folder,
            env={name: value for name, value in merged.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def curate_arguments(root: Path, source: Path, *overrides: str) -> Sequence[str]:
    settings = (f"root={root}", f"source.path={source}", "engine.workers=2", *overrides)
    return ("curate", "flows/configs/laptop.toml", *settings)


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL a process and all its descendants at once, as a dying machine would."""
    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    process.wait(30)
    psutil.wait_procs(family, 30)


def peak_tree_bytes(process: subprocess.Popen[str], *, every_seconds: float = 0.1) -> int:
    """Watch a process until it ends and return the largest sum of memory over it and its descendants.

    Proportional set size: a page that several share, such as one of a library, counts once.
    """
    peak = 0
    while process.poll() is None:
        try:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        total = 0
        for member in family:
            try:
                total += member.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        peak = max(peak, total)
        time.sleep(every_seconds)
    return peak


def read_set(root: Path, name: str) -> list[dict[str, Any]]:
    """Return all rows of a training set, in the order of its manifest."""
    manifest = json.loads((root / name / "manifest.json").read_text())
    return [row for file in manifest["files"] for row in pq.read_table(root / name / file["name"]).to_pylist()]


def exported_hashes(root: Path) -> dict[str, str]:
    """Return name -> SHA-256 of every exported file, as the manifests say."""
    hashes = {}
    for name in ("t2i", "t2v"):
        manifest = json.loads((root / name / "manifest.json").read_text())
        hashes.update({f"{name}/{file['name']}": file["sha256"] for file in manifest["files"]})
    return hashes


def save_secret(mobius: Mobius, name: str, value: str) -> None:
    """Save a Secret block at the Prefect server of the tests."""
    script = "import sys; from prefect.blocks.system import Secret; Secret(value=sys.argv[2]).save(sys.argv[1])"
    environment = {**os.environ, **mobius.environment}
    command = [sys.executable, "-c", script, name, value]
    subprocess.run(command, check=True, env={key: value for key, value in environment.items() if value})

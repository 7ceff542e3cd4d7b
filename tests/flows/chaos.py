"""Chaos: a curation is hurt again and again, and must come to the same result as one that nobody disturbed.

    python -m tests.flows.chaos --engine processes --rounds 20            on a disk and in an object store
    python -m tests.flows.chaos --engine threads processes dask ray       all engines, 20 faults each
    python -m tests.flows.chaos --rounds 0                                all engines and places, and nobody disturbs

Faults, each when a random number of further files has been written: SIGKILL of a worker, of the run's own process, of
its Prefect server, of the object store's server for 20 seconds; the server's database broken; a full disk (as root, on
a small tmpfs), with and without the guard that keeps some of it free; SIGTERM of the run's process group, also while
the store is away. A fault that came too late is tried again. A run that a fault ended is started again with the same
command. Once a run comes to its end, its exported files must have the SHA-256 of the undisturbed run's, and its account
must balance with nothing pending; then the next root is begun.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from schemas import object_store
from schemas.errors import MachineFault
from schemas.location import parse_location
from tests.conftest import CORPUS, ROOT
from tests.weed import WeedServer

CONFIG = ("select.min_label_count=1", "text.max_frames_read=1", "engine.workers=2", "engine.flush.samples=2")
NO_RESERVE = "engine.reserve.disk=0"  # else a run stops before the disk is full
FILES_PER_SAMPLE = 3  # that a run writes, at least
MAX_TRIES = 6  # of one fault
FILE_SECONDS = 300.0  # within which a run that goes on writes another file
STOP_SECONDS = 30.0  # a SIGTERM must have ended the run by then
ORPHAN_SECONDS = 60.0  # no process may outlive its killed run for longer
FULL_SECONDS = 8.0
END_SECONDS = 900.0
TMPFS_BYTES = 96 << 20
DISK, STORE = "disk", "store"
NO_SMALL_DISK = "no small disk"


@dataclass(slots=True)
class Campaign:
    """One engine, one kind of root, one source: runs it, hurts it, starts it again, and compares."""

    engine: str
    place: str  # disk or store
    source: Path
    expected: dict[str, str]
    folder: Path
    random: random.Random
    down_seconds: float = 20.0
    store: WeedServer | None = None
    settings: Sequence[str] = ()
    counts: Counter[str] = field(default_factory=Counter)
    _number: int = 0
    _process: "subprocess.Popen[str] | None" = None

    @property
    def num_samples(self) -> int:
        return len((self.source / "labels.jsonl").read_text().splitlines())

    @property
    def root(self) -> str:
        name = f"root-{self.engine}-{self._number:03d}"
        return f"s3://bucket/{name}" if self.place == STORE else str(self.folder / name)

    def start(self) -> "subprocess.Popen[str]":
        """Start the command, or return the process that is still at it."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        command = [
            *(sys.executable, "-m", "flows.cli", "curate", "flows/configs/laptop.toml", "--json"),
            *(f"root={self.root}", f"source.path={self.source}", f"engine.name={self.engine}", *CONFIG, *self.settings),
        ]
        if self.counts["starts"] % 2 == 0:
            command.append(NO_RESERVE)
        log = (self.folder.parent / f"{self.engine}-{self.place}.log").open("a")
        with log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.counts["starts"] += 1
        return self._process

    def environment(self) -> dict[str, str]:
        store = {} if self.store is None else self.store.environment
        return {**store, "TMPDIR": str(self.folder), "OMP_NUM_THREADS": "1"}

    def hurt(self, fault: str) -> None:
        """Do something to a run that goes on, at a random moment; where it ended before, to the next one.

        Raises AssertionError if that could not be done.
        """
        num_files = self.random.randint(1, FILES_PER_SAMPLE * self.num_samples)
        for _ in range(MAX_TRIES):
            process = self.start()
            is_done = False
            while not is_done and self.wait_for_files(process, num_files):
                is_done = FAULTS[fault](self, process)
                num_files = 1  # such as no worker yet
            if process.poll() is not None:
                self.settle(process)
            if is_done:
                self.counts[fault] += 1
                return
            self.counts["came too late"] += 1
            num_files = max(1, num_files // 2)
        raise AssertionError(f"{fault}: came too late {MAX_TRIES} times")

    def wait_for_files(self, process: "subprocess.Popen[str]", num_files: int) -> bool:
        """Wait until a run has written so many more files; false if it ended before."""
        before, seen, deadline = written(self.root), set[str](), time.monotonic() + FILE_SECONDS
        while len(seen) < num_files:
            if process.poll() is not None:
                return False
            new = written(self.root) - before - seen
            if new:
                seen, deadline = seen | new, time.monotonic() + FILE_SECONDS
            assert time.monotonic() < deadline, f"{self.root}: no new file in {FILE_SECONDS:.0f} s, see its log"
            time.sleep(0.05 if self.store is None else 0.3)
        return process.poll() is None

    def settle(self, process: "subprocess.Popen[str]") -> None:
        """If the run came to its end, compare, and begin the next root."""
        if process.returncode == 0:
            self.compare()
            self._number += 1

    def finish(self) -> None:
        """Bring the last root to its end, undisturbed."""
        for _ in range(3):  # what a fault left may still fail the run it hit
            process = self.start()
            process.wait(END_SECONDS)
            if process.returncode == 0:
                self.settle(process)
                return
        raise AssertionError(f"{self.engine} on {self.place}: does not come to its end, see its log")

    def compare(self) -> None:
        """Raise AssertionError unless result and account are those of the undisturbed run."""
        found = exported_hashes(self.root)
        ledger = run_status(self.root, self.environment())
        assert found == self.expected, f"{self.root}: {found} instead of {self.expected}"
        assert ledger["balanced"], ledger["disagreements"]
        assert ledger["pending"] == 0
        self.counts["compared"] += 1


# Faults: true if it could be done.


def kill_worker(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    workers = [each for each in descendants(process) if is_worker(each, campaign.engine)]
    if not workers:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        campaign.random.choice(workers).kill()
    return True


def kill_run(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    family = descendants(process)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, ORPHAN_SECONDS)
    assert not alive, f"outlived their run by {ORPHAN_SECONDS:.0f} s: {[each.cmdline() for each in alive]}"
    return True


def kill_server(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    servers = [each for each in descendants(process) if "flows.own_server" in command_of(each)]
    for server in servers:
        with contextlib.suppress(psutil.NoSuchProcess):
            server.kill()
    return bool(servers)


def break_database(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Leave the Prefect server nothing of its database, as a full disk may: it answers every request with an error."""
    found = list(campaign.folder.glob("*/prefect.db"))
    for database in found:
        os.truncate(database, 0)
    return bool(found)


def kill_store(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    assert campaign.store is not None
    campaign.store.kill()
    time.sleep(campaign.down_seconds)
    campaign.store.start()
    return True


def fill_disk(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Fill the disk until the run gives up, or has had time enough to meet it and try again."""
    ballast = campaign.folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(FULL_SECONDS)
    ballast.unlink()
    return True


def terminate_run(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Send SIGTERM to the whole group, as Prefect does to cancel; the run leads a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(STOP_SECONDS)  # raises TimeoutExpired
    assert process.returncode in (143, 0), f"exit code {process.returncode} after SIGTERM"
    return process.returncode == 143


def terminate_without_store(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    assert campaign.store is not None
    campaign.store.kill()
    try:
        return terminate_run(campaign, process)
    finally:
        campaign.store.start()


FAULTS: dict[str, Callable[[Campaign, "subprocess.Popen[str]"], bool]] = {
    "worker killed": kill_worker,
    "run killed": kill_run,
    "Prefect server killed": kill_server,
    "Prefect's database broken": break_database,
    "store away": kill_store,
    "disk full": fill_disk,
    "run terminated": terminate_run,
    "run terminated, store away": terminate_without_store,
}
ONLY_IN = {"store away": STORE, "run terminated, store away": STORE, "disk full": DISK}


def faults_for(engine: str, place: str) -> list[str]:
    """The faults that make sense: threads have no worker process, and a disk is no server."""
    names = [name for name in FAULTS if ONLY_IN.get(name, place) == place]
    return [name for name in names if not (engine == "threads" and name == "worker killed")]


def written(root: str) -> set[str]:
    """The Parquet files that there are in a root; none while its store is away."""
    location = parse_location(root)
    if isinstance(location, Path):
        found = ((folder, name) for folder, _, names in os.walk(location) for name in names)  # some vanish
        return {f"{folder}/{name}" for folder, name in found if name.endswith(".parquet")}
    with contextlib.suppress(MachineFault):
        return {key for key in object_store.list_below(location.protocol, location.key) if key.endswith(".parquet")}
    return set()


def descendants(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def command_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def is_worker(process: psutil.Process, engine: str) -> bool:
    """True for a process that runs tasks, as its command line shows."""
    command = command_of(process)
    if engine == "ray":
        return command.startswith("ray::")
    return "spawn_main" in command


# The undisturbed run, and what is compared.


def curate_undisturbed(source: Path, folder: Path, settings: Sequence[str] = ()) -> dict[str, str]:
    """Curate on threads, on a disk, and return name -> SHA-256 of every exported file."""
    root = folder / "undisturbed"
    command = [
        *(sys.executable, "-m", "flows.cli", "curate", "flows/configs/laptop.toml", "--json", f"root={root}"),
        *(f"source.path={source}", "engine.name=threads", *CONFIG, *settings),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return exported_hashes(str(root))


def exported_hashes(root: str) -> dict[str, str]:
    """Return name -> SHA-256 of every exported file, computed from its bytes, and check that manifests agree."""
    import hashlib

    hashes = {}
    for name in ("t2i", "t2v"):
        folder = parse_location(root) / name
        for file in json.loads((folder / "manifest.json").read_bytes())["files"]:
            found = hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest()
            assert found == file["sha256"], f"{folder / file['name']} is not what its manifest says"
            hashes[f"{name}/{file['name']}"] = found
    return hashes


def run_status(root: str, variables: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "status", root, "--json"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small tmpfs; False if this user may not: then no disk can be filled."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "mobius-chaos", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def copy_files(target: Path, num_files: int) -> Path:
    """Take every so-manieth file of the sample, with its label."""
    lines = (CORPUS / "sample" / "labels.jsonl").read_text().splitlines()
    target.mkdir(parents=True)
    chosen = lines[:: len(lines) // num_files][:num_files]
    for line in chosen:
        path = json.loads(line)["path"]
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CORPUS / "sample" / path, target / path)
    (target / "labels.jsonl").write_text("\n".join(chosen) + "\n")
    return target


def run_campaign(
    engine: str,
    place: str,
    *,
    rounds: int,
    source: Path,
    expected: dict[str, str],
    folder: Path,
    seed: int = 0,
    down_seconds: float = 20.0,
    faults: Sequence[str] | None = None,
) -> Counter[str]:
    """Hurt runs so often, then bring the last one to its end; return how often what happened."""
    generator = random.Random(f"{engine} {place} {seed}")
    with contextlib.ExitStack() as stack:
        work = folder / f"{engine}-{place}"
        work.mkdir(parents=True, exist_ok=True)
        can_fill = bool(rounds) and stack.enter_context(small_disk(work))
        store = open_store(folder / f"store-{engine}", stack) if place == STORE else None
        campaign = Campaign(engine, place, source, expected, work, generator, down_seconds, store)
        names = list(faults or faults_for(engine, place))
        if not can_fill and "disk full" in names:
            names.remove("disk full")
            campaign.counts[NO_SMALL_DISK] = 1
        order: list[str] = []
        for _ in range(rounds):
            if not order:
                order = generator.sample(names, len(names))  # every fault as often as every other
            campaign.hurt(order.pop())
        campaign.finish()
    return campaign.counts


def open_store(folder: Path, stack: contextlib.ExitStack) -> WeedServer:
    """Start an object store with one bucket, whose objects outlive its server."""
    store = WeedServer(folder)
    store.start()
    stack.callback(store.kill)
    stack.callback(object_store.open_store.cache_clear)
    object_store.open_store.cache_clear()
    stack.enter_context(environment(store.environment))
    return store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="+", default=["threads", "processes", "dask", "ray"])
    parser.add_argument("--place", nargs="+", choices=[DISK, STORE], default=[DISK, STORE])
    parser.add_argument(
        "--rounds", type=int, default=20, help="faults for each engine, shared among the places; 0 = none"
    )
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mobius-chaos-"))
    source = copy_files(folder / "source", settings.files)
    expected = curate_undisturbed(source, folder)
    print(f"{settings.files} files, undisturbed: {len(expected)} exported files; logs in {folder}", flush=True)
    print("| engine | root on | starts | roots with equal files | faults |\n|---|---|---|---|---|", flush=True)
    for engine in settings.engine:
        for place in settings.place:
            counts = run_campaign(
                engine,
                place,
                rounds=-(-settings.rounds // len(settings.place)),
                source=source,
                expected=expected,
                folder=folder,
                seed=settings.seed,
            )
            faults = ", ".join(f"{name} {counts[name]}" for name in FAULTS if counts[name]) or "none"
            print(f"| {engine} | {place} | {counts['starts']} | {counts['compared']} | {faults} |", flush=True)


if __name__ == "__main__":
    main()

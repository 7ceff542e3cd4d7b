"""Campaign: one engine, one kind of root, one source; runs it, hurts it, starts it again, and compares."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas import object_store
from schemas.errors import MachineFault
from schemas.location import parse_location
from tests.conftest import ROOT
from tests.flows.chaos.compare import CONFIG, exported_hashes, run_status
from tests.flows.chaos.places import STORE
from tests.weed import WeedServer

NO_RESERVE = "engine.reserve.disk=0"  # else a run stops before the disk is full
FILES_PER_SAMPLE = 3  # that a run writes, at least
MAX_TRIES = 6  # of one fault
FILE_SECONDS = 300.0  # within which a run that goes on writes another file
END_SECONDS = 3600.0  # a whole sample, on a machine that is busy


Fault = Callable[["Campaign", "subprocess.Popen[str]"], bool]
"""What may happen to a run; true if it could be done."""


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

    def hurt(self, name: str, fault: Fault) -> None:
        """Do something to a run that goes on, at a random moment; where it ended before, to the next one.

        Raises AssertionError if that could not be done.
        """
        num_files = self.random.randint(1, FILES_PER_SAMPLE * self.num_samples)
        for _ in range(MAX_TRIES):
            process = self.start()
            is_done = False
            while not is_done and self.wait_for_files(process, num_files):
                is_done = fault(self, process)
                num_files = 1  # such as no worker yet
            if process.poll() is not None:
                self.settle(process)
            if is_done:
                self.counts[name] += 1
                return
            self.counts["came too late"] += 1
            num_files = max(1, num_files // 2)
        raise AssertionError(f"{name}: came too late {MAX_TRIES} times")

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


def written(root: str) -> set[str]:
    """The Parquet files that there are in a root; none while its store is away."""
    location = parse_location(root)
    if isinstance(location, Path):
        found = ((folder, name) for folder, _, names in os.walk(location) for name in names)  # some vanish
        return {f"{folder}/{name}" for folder, name in found if name.endswith(".parquet")}
    with contextlib.suppress(MachineFault):
        return {key for key in object_store.list_below(location.protocol, location.key) if key.endswith(".parquet")}
    return set()

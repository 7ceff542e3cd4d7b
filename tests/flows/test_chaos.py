"""Hurt runs come to the result of an undisturbed one: `python -m tests.flows.chaos` in short."""

import os
from pathlib import Path

import pytest

from tests.flows.chaos.compare import curate_undisturbed
from tests.flows.chaos.places import DISK, STORE, copy_files
from tests.flows.chaos.run import NO_SMALL_DISK, run_campaign
from tests.weed import find_weed

NUM_FILES = 6
FAULTS = {
    "threads": (DISK, ["Prefect server killed", "disk full", "run terminated"]),
    "processes": (STORE, ["worker killed", "run terminated, store away"]),
    "dask": (STORE, ["run killed", "run terminated"]),
    "ray": (STORE, ["worker killed", "run terminated"]),
}

ENGINES = os.environ.get("MOBIUS_CHAOS_ENGINES", "processes").split()  # `make test-long` hurts all of them


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos")


@pytest.fixture(scope="module")
def source(corpus_sample: Path, folder: Path) -> Path:
    return copy_files(folder / "source", NUM_FILES)


@pytest.fixture(scope="module")
def expected(source: Path, folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of every exported file of a run on threads and a disk that nobody disturbed."""
    return curate_undisturbed(source, folder)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_hurt_comes_to_the_same_end(engine: str, source: Path, expected: dict[str, str], folder: Path) -> None:
    place, faults = FAULTS[engine]
    if place == STORE and find_weed() is None:
        pytest.skip("weed is missing: pip install -c constraints.txt -e '.[dev]'")
    counts = run_campaign(
        engine,
        place,
        rounds=len(faults),
        source=source,
        expected=expected,
        folder=folder,
        down_seconds=4.0,
        faults=faults,
    )
    assert counts["compared"] >= 1
    possible = [fault for fault in faults if not (fault == "disk full" and counts[NO_SMALL_DISK])]
    assert {fault: counts[fault] for fault in possible} == dict.fromkeys(possible, 1)

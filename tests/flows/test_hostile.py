"""153 odd files in one run: each with the expected outcome, in bounded memory and time, none harming another."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.flows.mobius import Mobius, curate_arguments, exported_hashes, peak_tree_bytes, read_set
from tests.stages.test_probe import EXPECTED_REASONS

MAX_TREE_BYTES = 2 << 30
MAX_SECONDS_PER_FILE = 20  # the dearest is a photograph of many frames, read, cleaned and read again


@pytest.fixture(scope="module")
def run(hostile_source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Curate with a Prefect server of its own, so that it counts in the memory of the tree."""
    from tests.conftest import ROOT

    root = tmp_path_factory.mktemp("hostile-run") / "dataset"
    alone = Mobius({"PREFECT_API_URL": "", "PREFECT_HOME": ""}, ROOT)
    process = alone.start(*curate_arguments(root, hostile_source, "select.min_label_count=2"))
    peak = peak_tree_bytes(process)
    _, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return root, peak


@pytest.fixture(scope="module")
def fates(mobius: Mobius, run: tuple[Path, int]) -> dict[str, dict[str, Any]]:
    """What became of each file, by its path."""
    return {row["path"]: row for row in mobius.json("fates", str(run[0]), "--limit", "0")}


def test_all_153_are_accounted_for_with_the_expected_outcome(
    mobius: Mobius, run: tuple[Path, int], fates: dict[str, dict[str, Any]]
) -> None:
    root, _ = run
    ledger = mobius.json("status", str(root))
    assert ledger["ingested"] == 153
    assert ledger["balanced"]
    assert ledger["pending"] == 0
    quarantined = {path: row["why"] for path, row in fates.items() if row["fate"] == "quarantined"}
    assert quarantined == EXPECTED_REASONS


def test_awkward_names_are_ordinary_samples(fates: dict[str, dict[str, Any]]) -> None:
    named = [path for path in fates if path.startswith("names/")]
    assert len(named) == 10
    assert {fates[path]["fate"] for path in named} <= {"exported", "rejected"}


def test_copies_of_one_animation_are_rejected_and_other_timing_is_not(fates: dict[str, dict[str, Any]]) -> None:
    for name in ("exact_copy", "comment_added", "reencoded"):
        group = {fates[f"dups/{name}.gif"]["key"], fates["dups/original.gif"]["key"]}
        kept = {
            fates[f"dups/{each}.gif"]["duplicate_of"] or fates[f"dups/{each}.gif"]["key"] for each in (name, "original")
        }
        assert len(group) == 2
        assert len(kept) == 1, name
    assert fates["dups/reversed.gif"]["fate"] == "exported"


def test_memory_of_the_whole_process_tree_stays_under_2_gb(run: tuple[Path, int]) -> None:
    _, peak = run
    assert 100 << 20 < peak < MAX_TREE_BYTES, f"{peak / 2**20:.0f} MB"


def test_no_file_takes_more_than_20_seconds_of_processor_time(run: tuple[Path, int]) -> None:
    """Processor time, because that is the file's own; what the clock says depends on who else is busy."""
    root, _ = run
    seconds: dict[str, float] = {}
    for path in (root / "stages").glob("*/*.parquet"):
        for row in pq.read_table(path, columns=["key", "cpu_seconds"]).to_pylist():
            seconds[row["key"]] = seconds.get(row["key"], 0) + row["cpu_seconds"]
    assert len(seconds) == 153
    assert max(seconds.values()) < MAX_SECONDS_PER_FILE


def test_good_files_beside_bad_ones_come_out_as_if_alone(
    mobius: Mobius, run: tuple[Path, int], hostile_source: Path, tmp_path: Path
) -> None:
    """The good half of one group, curated without its bad neighbours, gives the same pictures and captions."""
    root, _ = run
    good = [
        path for path in sorted((hostile_source / "wuffs").iterdir()) if f"wuffs/{path.name}" not in EXPECTED_REASONS
    ]
    source = tmp_path / "source"
    (source / "wuffs").mkdir(parents=True)
    for path in good:
        (source / "wuffs" / path.name).write_bytes(path.read_bytes())
    mobius.curate(tmp_path / "alone", source, "source.name=source", "select.min_label_count=2", "engine.name=threads")
    assert exported_hashes(tmp_path / "alone")

    def pictures(folder: Path) -> dict[str, tuple[bytes, str]]:
        rows = read_set(folder, "t2i")
        return {row["path"]: (row["image"]["bytes"], row["image_caption"]) for row in rows}

    together, alone = pictures(root), pictures(tmp_path / "alone")
    shared = set(together) & set(alone)
    assert len(shared) >= 8
    assert {path: together[path] for path in shared} == {path: alone[path] for path in shared}


def test_the_run_record_tells_how_it_was_made(run: tuple[Path, int]) -> None:
    root, _ = run
    (path,) = (root / "runs").glob("*.json")
    record = json.loads(path.read_text())
    assert record["outcome"] == "done"
    assert record["versions"]["pillow"]
    assert record["ledger"]["ingested"] == 153

"""A kill costs seconds of work and changes no result; a change recomputes only what reads it."""

import json
import random
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.answers import count_rows
from pipeline.storage import file_sha256
from pipeline.synthetic import write_stickers
from tests.flows.mobius import Mobius, curate_arguments, exported_hashes, kill_tree

KILL_ROUNDS = 20
NUM_STICKERS = 40
PART_SAMPLES = 4
NUM_WORKERS = 2
SETTINGS = (
    "select.min_label_count=2",
    "ingest.max_row_group_samples=4",
    "text.max_frames_read=2",
    f"engine.flush.samples={PART_SAMPLES}",
)

AUDIT = """
import os, sys

LOG = os.open(os.environ["MOBIUS_AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def hook(event, arguments):
    if event == "mobius.answered":
        os.write(LOG, f"{os.getpid()} {arguments[0]} {arguments[1]}\\n".encode())

sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def stickers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stickers")
    write_stickers(folder, num=NUM_STICKERS, seed=3)
    return folder / "media"


@pytest.fixture(scope="module")
def uninterrupted(mobius: Mobius, stickers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("uninterrupted") / "dataset"
    ledger = mobius.curate(root, stickers, *SETTINGS)
    assert ledger["exported"]["t2v"] > 10
    return root


def part_counts(root: Path) -> dict[str, int]:
    """Return how many answers each stage folder holds."""
    return {folder.name: count_rows(folder) for folder in sorted((root / "stages").iterdir())}


def stages_of(counts: dict[str, int]) -> set[str]:
    return {name.rsplit("-", 1)[0] for name in counts}


def test_20_kills_at_random_moments_change_no_result(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """Every sample is computed once, but for what a killed worker had not flushed: one part per worker and kill."""
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    log = tmp_path / "audit.log"
    environment = {"MOBIUS_AUDIT_LOG": str(log), "PYTHONPATH": str(tmp_path)}
    root = tmp_path / "dataset"
    arguments = curate_arguments(root, stickers, *SETTINGS)
    moments = random.Random(20)
    num_killed = 0
    for _ in range(KILL_ROUNDS):
        process = mobius.start(*arguments, **environment)
        wait_for_the_run(process, root)
        time.sleep(moments.uniform(0, 8))
        num_killed += process.poll() is None
        kill_tree(process)
        process.communicate()
    done = mobius.run(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert num_killed >= KILL_ROUNDS // 2, "most rounds must hit a run that is going on"
    ledger = json.loads(done.stdout)
    assert ledger["balanced"]
    assert ledger["pending"] == 0
    assert exported_hashes(root) == exported_hashes(uninterrupted)
    for name, sha256 in exported_hashes(root).items():
        assert file_sha256(root / name) == sha256
    computed = Counter(tuple(line.split()[1:]) for line in log.read_text().splitlines())
    repeated = sum(count - 1 for count in computed.values())
    assert repeated <= num_killed * NUM_WORKERS * PART_SAMPLES
    assert set(part_counts(root)) == set(part_counts(uninterrupted))


def wait_for_the_run(process: subprocess.Popen[str], root: Path) -> None:
    """Wait until this run has written its record: from then on it reads and writes the dataset."""
    before = len(list((root / "runs").glob("*.json")))
    deadline = time.monotonic() + 120
    while len(list((root / "runs").glob("*.json"))) == before and process.poll() is None:
        assert time.monotonic() < deadline, "the run did not start"
        time.sleep(0.05)


def test_running_again_computes_nothing(mobius: Mobius, stickers: Path, uninterrupted: Path) -> None:
    before, files = part_counts(uninterrupted), exported_hashes(uninterrupted)
    stamps = {name: (uninterrupted / name).stat().st_mtime_ns for name in files}
    mobius.curate(uninterrupted, stickers, *SETTINGS)
    assert part_counts(uninterrupted) == before
    assert {name: (uninterrupted / name).stat().st_mtime_ns for name in files} == stamps


def test_a_changed_threshold_recomputes_no_stage(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(uninterrupted, root)
    before = part_counts(root)
    kept = mobius.json("status", str(root))["exported"]["t2v"]
    ledger = mobius.curate(root, stickers, *SETTINGS, "select.min_frames=12")
    assert part_counts(root) == before
    assert ledger["exported"]["t2v"] < kept
    assert ledger["balanced"]


def test_a_changed_caption_config_recomputes_captions_and_what_reads_them(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(uninterrupted, root)
    before = part_counts(root)
    mobius.curate(root, stickers, *SETTINGS, "image_caption.batch_size=3")
    after = part_counts(root)
    assert stages_of({name: n for name, n in after.items() if name not in before}) == {
        "image_caption",
        "summary",
        "translation",
    }
    assert {name: n for name, n in after.items() if name in before} == before


def test_50_added_files_are_the_only_ones_computed(mobius: Mobius, tmp_path: Path) -> None:
    folder = tmp_path / "stickers"
    write_stickers(folder, num=60, seed=5)
    labels = folder / "media" / "labels.jsonl"
    lines = labels.read_text().splitlines(keepends=True)
    labels.write_text("".join(lines[:-50]))
    root = tmp_path / "dataset"
    first = mobius.curate(root, folder / "media", *SETTINGS)
    before = part_counts(root)
    labels.write_text("".join(lines))
    second = mobius.curate(root, folder / "media", *SETTINGS)
    assert second["ingested"] - first["ingested"] == 50
    grown = {name: n - before[name] for name, n in part_counts(root).items()}
    assert all(n <= 50 for n in grown.values())
    assert [n for name, n in grown.items() if name.startswith("probe-")] == [50]
    assert second["balanced"]
    assert second["pending"] == 0

"""A kill costs seconds of work and changes no result; a change recomputes only what reads it."""

import itertools
import json
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.answers import count_rows
from pipeline.synthetic import write_stickers
from schemas.storage import file_sha256
from tests.flows.mobius import Mobius, curate_arguments, exported_hashes, kill_tree
from tests.media.gifs import encode_gif

KINDS_OF_KILL = (
    ("while it answers", "processes"),
    ("while it exports", "threads"),
    ("while it answers", "threads"),
    ("while it exports", "processes"),
)
KILL_ROUNDS = int(os.environ.get("MOBIUS_KILL_ROUNDS", "2"))  # `make test-long`: 20
NUM_STICKERS = 8
MAX_FURTHER_ANSWERS = 60  # until a kill; one run gives about 150
PART_SAMPLES = 4
NUM_WORKERS = 2
THREADS = "engine.name=threads"  # wherever a test is not about the engine: no worker has to start
SETTINGS = (
    "select.min_label_count=1",
    "ingest.max_row_group_samples=4",
    "text.max_frames_read=1",
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


FULL_DISK_ONCE = """
import errno, os, sys

counts = {}

def hook(event, arguments):
    if event == "mobius.answered" and arguments[0] == "image_caption":
        counts[event] = counts.get(event, 0) + 1
        if counts[event] == 7 and not os.path.exists(os.environ["MOBIUS_AUDIT_LOG"]):
            open(os.environ["MOBIUS_AUDIT_LOG"], "w").close()
            raise OSError(errno.ENOSPC, "No space left on device")

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
    ledger = mobius.curate(root, stickers, *SETTINGS, "engine.name=processes")
    assert ledger["exported"]["t2v"] >= 10
    return root


def part_counts(root: Path) -> dict[str, int]:
    """Return how many answers each stage folder holds."""
    return {folder.name: count_rows(folder) for folder in sorted((root / "stages").iterdir())}


def stages_of(counts: dict[str, int]) -> set[str]:
    return {name.rsplit("-", 1)[0] for name in counts}


def test_kills_at_random_moments_change_no_result(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """Every sample is computed once, but for what a killed worker had not flushed: one part per worker and kill.

    The moments are a random number of answers later and the beginning of an export, each on either engine; a round
    that finds everything done starts another dataset.
    """
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    moments = random.Random(20)
    roots = [tmp_path / "0"]
    killed_in = Counter[Path]()
    for moment, engine in itertools.islice(itertools.cycle(KINDS_OF_KILL), KILL_ROUNDS):
        root = roots[-1]
        environment = {"MOBIUS_AUDIT_LOG": str(root.with_suffix(".log")), "PYTHONPATH": str(tmp_path)}
        process = mobius.start(*curate_arguments(root, stickers, *SETTINGS, f"engine.name={engine}"), **environment)
        wait_for_a_moment(process, root, moment, moments)
        was_running = process.poll() is None
        kill_tree(process)
        process.communicate()
        killed_in[root] += was_running
        if not was_running:
            roots.append(tmp_path / str(len(roots)))
    assert sum(killed_in.values()) >= KILL_ROUNDS // 2
    for root in roots:
        environment = {"MOBIUS_AUDIT_LOG": str(root.with_suffix(".log")), "PYTHONPATH": str(tmp_path)}
        done = mobius.run(*curate_arguments(root, stickers, *SETTINGS, THREADS), "--json", **environment)
        assert done.returncode == 0, done.stderr[-3000:]
        assert exported_hashes(root) == exported_hashes(uninterrupted)
        for name, sha256 in exported_hashes(root).items():
            assert file_sha256(root / name) == sha256
        assert not list(root.rglob(".*")), "nothing half-written is left"
        computed = Counter(tuple(line.split()[1:]) for line in root.with_suffix(".log").read_text().splitlines())
        repeated = sum(count - 1 for count in computed.values())
        assert repeated <= killed_in[root] * NUM_WORKERS * PART_SAMPLES


def wait_for_a_moment(process: subprocess.Popen[str], root: Path, moment: str, moments: random.Random) -> None:
    """Wait for a random number of further answers, or for an export to begin, or for the end of the run."""
    log = root.with_suffix(".log")
    target = count_lines(log) + moments.randrange(MAX_FURTHER_ANSWERS)
    waits_for_export, begun = moment == "while it exports", time.time()
    deadline = time.monotonic() + 240
    while process.poll() is None:
        assert time.monotonic() < deadline, "the run hangs"
        if waits_for_export and any(path.stat().st_mtime >= begun for path in root.glob(".t2?-*")):
            break
        if not waits_for_export and count_lines(log) > target:
            break
        time.sleep(0.02)
    time.sleep(moments.uniform(0, 0.3))


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_fault_of_the_machine_is_retried_and_marks_nobody(mobius: Mobius, stickers: Path, tmp_path: Path) -> None:
    """The disk is full once, in the middle of a chunk of which a part is written already."""
    (tmp_path / "sitecustomize.py").write_text(FULL_DISK_ONCE)
    environment = {"MOBIUS_AUDIT_LOG": str(tmp_path / "fault"), "PYTHONPATH": str(tmp_path)}
    root = tmp_path / "dataset"
    done = mobius.run(*curate_arguments(root, stickers, *SETTINGS), "--json", **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "fault").exists(), "the fault did happen"
    ledger = json.loads(done.stdout)
    assert ledger["balanced"]
    assert "unforeseen" not in json.dumps(ledger)


def test_a_sample_that_enters_t2v_later_gets_what_is_missing(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    few = mobius.curate(root, stickers, *SETTINGS, THREADS, "select.min_frames=14")
    more = mobius.curate(root, stickers, *SETTINGS, THREADS)
    assert few["exported"]["t2v"] < more["exported"]["t2v"]
    assert exported_hashes(root) == exported_hashes(uninterrupted)


def test_running_again_computes_nothing(mobius: Mobius, stickers: Path, uninterrupted: Path) -> None:
    before, files = part_counts(uninterrupted), exported_hashes(uninterrupted)
    stamps = {name: (uninterrupted / name).stat().st_mtime_ns for name in files}
    mobius.curate(uninterrupted, stickers, *SETTINGS, THREADS)
    assert part_counts(uninterrupted) == before
    assert {name: (uninterrupted / name).stat().st_mtime_ns for name in files} == stamps


def test_a_changed_threshold_recomputes_no_stage(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(uninterrupted, root)
    before = part_counts(root)
    kept = mobius.json("status", str(root))["exported"]["t2v"]
    ledger = mobius.curate(root, stickers, *SETTINGS, THREADS, "select.min_frames=12")
    assert part_counts(root) == before
    assert ledger["exported"]["t2v"] < kept
    assert ledger["balanced"]


def test_a_changed_summary_config_recomputes_summaries_and_what_reads_them(
    mobius: Mobius, stickers: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(uninterrupted, root)
    before = part_counts(root)
    mobius.curate(root, stickers, *SETTINGS, THREADS, "summary.max_tokens=40")
    after = part_counts(root)
    assert stages_of({name: n for name, n in after.items() if name not in before}) == {
        "summary",
        "translation",
    }
    assert {name: n for name, n in after.items() if name in before} == before


def test_50_added_files_are_the_only_ones_computed(mobius: Mobius, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    rows = []
    for number in range(60):
        name = f"{number:02d}.gif"
        (source / name).write_bytes(encode_gif([(number, 9, 9), (9, number, 9), (9, 9, number)] * 2))
        rows.append(json.dumps({"path": name, "label": "joy"}) + "\n")
    labels = source / "labels.jsonl"
    labels.write_text("".join(rows[:10]))
    root = tmp_path / "dataset"
    first = mobius.curate(root, source, *SETTINGS, THREADS)
    parts = {path: path.read_bytes() for path in root.glob("stages/*/*.parquet")}
    labels.write_text("".join(rows))
    second = mobius.curate(root, source, *SETTINGS, THREADS)
    assert (first["ingested"], second["ingested"]) == (10, 60)
    assert second["balanced"]
    assert all(path.read_bytes() == before for path, before in parts.items())
    for folder in (root / "stages").iterdir():
        tables = [pq.read_table(path, columns=["key"]) for path in folder.glob("*.parquet")]
        keys = [key for table in tables for key in table["key"].to_pylist()]
        assert len(keys) == len(set(keys)), f"{folder.name}: nothing is answered twice"

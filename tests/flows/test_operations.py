"""What an operator has while a run goes on and after it: log, metrics, status, gc. One small root for all."""

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.storage import write_table
from tests.flows.mobius import Mobius, curate_arguments, exported_hashes, kill_tree
from tests.media.gifs import encode_gif

NUM_SAMPLES = 12
LABEL = "shy-\N{CJK UNIFIED IDEOGRAPH-79D8}\N{CJK UNIFIED IDEOGRAPH-5BC6}"
SETTINGS = ("select.min_label_count=1", "ingest.max_row_group_samples=4", "text.max_frames_read=1")
HELD_STAGE = "video_caption"
WAIT_SECONDS = 240
ALWAYS = {"time", "level", "event", "run", "host", "pid"}

# Fails once in `clean` as a full disk would, and holds every worker in one stage until a file appears.
WORKER = f"""
import errno, os, sys, time

def hook(event, arguments):
    if event != "mobius.answered":
        return
    folder = os.environ["MOBIUS_TEST"]
    with open(os.path.join(folder, "answered"), "a") as log:
        log.write(arguments[0] + "\\n")
    if arguments[0] == "clean" and not os.path.exists(os.path.join(folder, "failed")):
        open(os.path.join(folder, "failed"), "w").close()
        raise OSError(errno.EIO, "Input/output error")
    while arguments[0] == "{HELD_STAGE}" and not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.05)

sys.addaudithook(hook)
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A run and what was seen of it while it was held in one stage, and afterwards."""

    root: Path
    source: Path
    folder: Path
    lines: list[str]
    metrics: str
    status: Any
    gc_while_running: subprocess.CompletedProcess[str]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == event]


@pytest.fixture(scope="module")
def watched(mobius: Mobius, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    source = folder / "gifs" / LABEL
    source.mkdir(parents=True)
    for number in range(NUM_SAMPLES):
        colours = [(number * 20, 9, 9), (9, number * 20, 9), (9, 9, number * 20)] * 2
        (source / f"{number:02d}.gif").write_bytes(encode_gif(colours))
    (source / "broken.gif").write_bytes(b"GIF89a")
    (folder / "sitecustomize.py").write_text(WORKER)
    root = folder / "dataset"
    settings = (*SETTINGS, "engine.name=processes", "engine.workers=1", "log.format=json", "metrics.port=0")
    arguments = curate_arguments(root, source.parent, *settings)
    process = mobius.start(*arguments, PYTHONPATH=str(folder), MOBIUS_TEST=str(folder))
    try:
        yield watch(mobius, process, root, source.parent, folder)
    finally:
        kill_tree(process)


def watch(mobius: Mobius, process: subprocess.Popen[str], root: Path, source: Path, folder: Path) -> Watched:
    """Look at the run from all sides while it is held; then let it go on to its end."""
    lines: list[str] = []
    assert process.stderr is not None
    reading = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    reading.start()
    wait_until(process, lines, lambda: HELD_STAGE in (folder / "answered").read_text().split())
    wait_until(process, lines, lambda: read_sign(root).get("stage") == HELD_STAGE)
    seen = Watched(
        root=root,
        source=source,
        folder=folder,
        lines=lines,
        metrics=read_metrics(lines),
        status=mobius.json("status", str(root)),
        gc_while_running=mobius.run("gc", str(root)),
    )
    (folder / "go").touch()
    assert process.wait(WAIT_SECONDS) == 0, "".join(lines)[-3000:]
    reading.join()
    return seen


def wait_until(process: subprocess.Popen[str], lines: list[str], is_so: Any) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        assert process.poll() is None, "".join(lines)[-3000:]
        assert time.monotonic() < deadline, "the run hangs"
        try:
            if is_so():
                return
        except FileNotFoundError:
            pass
        time.sleep(0.1)


def read_sign(root: Path) -> Any:
    signs = [json.loads(path.read_text()) for path in root.glob("runs/*.life")]
    return signs[-1] if signs else {}


def read_metrics(lines: list[str]) -> str:
    served = next(event for event in map(json.loads, lines) if event["event"] == "metrics_served")
    with urllib.request.urlopen(f"http://{served['address']}:{served['port']}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_every_line_is_json_with_the_same_first_keys_and_none_is_about_a_sample(watched: Watched) -> None:
    assert len(watched.events) == len(watched.lines), "no bar, nothing of any library"
    assert all(event.keys() >= ALWAYS for event in watched.events)
    (run,) = {event["run"] for event in watched.events}
    assert (watched.root / "runs" / f"{run}.json").exists()
    whole = "".join(watched.lines)
    assert LABEL not in whole
    assert json.dumps(LABEL)[1:-1] not in whole
    assert ".gif" not in whole


def test_a_run_and_its_stages_are_told_from_begin_to_end(watched: Watched) -> None:
    assert [event["event"] for event in watched.events][:2] == ["metrics_served", "run_started"]
    (started,), (ended,) = watched.of("run_started"), watched.of("run_ended")
    assert started["root"] == str(watched.root)
    assert (ended["outcome"], ended["t2v_samples"]) == ("done", NUM_SAMPLES)
    stages = [event["stage"] for event in watched.of("stage_ended")]
    assert stages[:4] == ["ingest", "probe", "quality", "text"]
    assert stages[-2:] == ["export t2i", "export t2v"]
    probe = next(event for event in watched.of("stage_ended") if event["stage"] == "probe")
    assert probe["samples"] == NUM_SAMPLES + 1
    assert probe["per_second"] == pytest.approx(probe["samples"] / probe["seconds"], rel=0.01)
    chunks = [event for event in watched.of("chunk_done") if event["stage"] == "probe"]
    assert (sum(event["answered"] for event in chunks), sum(event["failed"] for event in chunks)) == (NUM_SAMPLES, 1)
    assert all(event["worker"] == f"{os.uname().nodename}/{event['worker'].split('/')[1]}" for event in chunks)


def test_a_fault_of_the_machine_is_told_by_the_worker_and_its_retry_is_counted(watched: Watched) -> None:
    (fault,), (retry,) = watched.of("machine_fault"), watched.of("retry")
    assert (fault["stage"], fault["level"]) == ("clean", "warning")
    assert "Input/output error" in fault["reason"]
    assert (retry["attempt"], retry["reason"]) == (2, fault["reason"])
    assert fault["pid"] != watched.of("run_started")[0]["pid"], "a worker's own line"
    assert sum(event["retries"] for event in watched.of("chunk_done")) == 1


def test_metrics_of_a_run_that_goes_on(watched: Watched) -> None:
    families = list(text_string_to_metric_families(watched.metrics))
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value for each in families for sample in each.samples
    }
    assert found["mobius_samples_total", "probe"] == NUM_SAMPLES + 1
    assert found["mobius_answered_total", "probe"] == NUM_SAMPLES
    assert [value for key, value in found.items() if key[0] == "mobius_failed_total"] == [1]
    assert found["mobius_chunk_retries_total", "clean"] == 1
    assert found["mobius_pending_samples", HELD_STAGE] > 0
    assert found["mobius_written_bytes", "ingest"] == (watched.root / "media" / "00000.parquet").stat().st_size
    assert found["mobius_work_seconds_total", "probe"] > 0
    assert all(each.documentation for each in families)


def test_status_tells_of_a_run_that_goes_on_and_of_its_end(watched: Watched, mobius: Mobius) -> None:
    run = watched.status["run"]
    assert (run["outcome"], run["progress"]["stage"]) == ("running", HELD_STAGE)
    assert run["progress"]["total"] == NUM_SAMPLES
    assert {"summary", "export t2v"} <= set(run["progress"]["unmeasured"]), "nothing was measured before: not guessed"
    assert watched.status["stages"]["probe"]["failed"]
    assert watched.status["stages"]["probe"]["ok"] == NUM_SAMPLES
    after = mobius.json("status", str(watched.root))["run"]
    assert (after["outcome"], after["progress"]) == ("done", None)
    assert {path.suffix for path in (watched.root / "runs").iterdir()} == {".json", ""}, "no sign, no lock but the file"


def test_gc_refuses_while_a_run_goes_on(watched: Watched) -> None:
    assert watched.gc_while_running.returncode == 2
    assert "another run is writing to this dataset root" in watched.gc_while_running.stderr


def test_gc_lists_then_removes_and_nothing_is_computed_again(watched: Watched, mobius: Mobius, tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(watched.root, root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    planted = plant_garbage(root)
    young = root / "media" / "00008.parquet"
    young.write_bytes(b"written just now")
    listed = mobius.json("gc", str(root))
    here = [each for each in listed if each["place"].startswith(str(root))]
    assert {each["place"] for each in here} == {str(path) for path in planted}
    assert all(path.exists() for path in planted), "only listed"
    assert all(each["size_bytes"] > 0 for each in here)
    mobius.ok("gc", str(root), "--delete")
    assert not any(path.exists() for path in planted)
    assert all(path.read_bytes() == content for path, content in before.items()), "what is needed is untouched"
    assert young.exists(), "younger than an hour"

    (watched.folder / "answered").write_text("")
    arguments = curate_arguments(root, watched.source, *SETTINGS)
    done = mobius.run(*arguments, "--json", PYTHONPATH=str(watched.folder), MOBIUS_TEST=str(watched.folder))
    assert done.returncode == 0, done.stderr[-3000:]
    assert (watched.folder / "answered").read_text() == "", "nothing is computed again"
    assert json.loads(done.stdout)["balanced"]
    assert exported_hashes(root) == exported_hashes(watched.root)


def plant_garbage(root: Path) -> list[Path]:
    """Put one of each kind into a root, all two hours old, and return what is to be found."""
    stage = next((root / "stages").glob("summary-*"))
    unread = root / "stages" / "summary-0123456789ab"
    shutil.copytree(stage, unread)
    part = max(stage.glob("*.parquet"), key=lambda path: pq.read_metadata(path).num_rows)
    doubled = part.with_name(f"{part.name[:22]}-abcdef-00001.parquet")
    write_table(doubled, pq.read_table(part).slice(0, 1))
    aside = root / ".t2v-0123456789ab"
    shutil.copytree(root / "t2v", aside)
    shard = root / "media" / "00007.parquet"
    shutil.copyfile(root / "media" / "00000.parquet", shard)
    notes = [root / "runs" / name for name in ("20200101T000000.000000-abcd.stop", "20200101T000000.000000-abcd.life")]
    half = root / "media" / ".00007.parquet.4194304-0123abcd"
    for path in (*notes, half):
        path.write_text("left")
    planted = [unread, doubled, aside, shard, *notes, half]
    old = time.time() - 7200
    for path in planted:
        for each in (path, *path.rglob("*")):
            os.utime(each, (old, old))
    return planted


def test_a_killed_run_is_told_from_one_that_goes_on(watched: Watched, mobius: Mobius, tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(watched.root, root)
    newest = max((root / "runs").glob("*.json"))
    newest.write_text(json.dumps({**json.loads(newest.read_text()), "outcome": "running"}))
    sign = {"stage": "text", "done": 3, "total": 12, "host": os.uname().nodename, "pid": 1 << 22, "time": time.time()}
    newest.with_suffix(".life").write_text(json.dumps(sign))
    assert mobius.json("status", str(root))["run"]["outcome"] == "ended without a word"
    text = mobius.ok("status", str(root))
    assert "run the same command again to go on" in text
    assert "text: 3 of 12" in text


def test_stages_are_few_and_reasons_come_from_a_closed_set(watched: Watched) -> None:
    samples = [sample for each in text_string_to_metric_families(watched.metrics) for sample in each.samples]
    counted = Counter(sample.name for sample in samples)
    assert max(counted.values()) <= 10
    assert {sample.labels["reason"] for sample in samples if sample.name == "mobius_failed_total"} == {"corrupt"}

"""Curation speed: probe against bare decoding, the flow against a plain loop, memory against the number of files.

    python -m benchmarks.curate probe            files/s of probe and of a bare Pillow loop, interleaved, medians
    python -m benchmarks.curate flow             whole wall time of the flow and of the same stages in a plain loop
    python -m benchmarks.curate memory           peak memory of the flow's own process on 2,000 and 20,000 files
    python -m benchmarks.curate workers          files/s of two worker processes against one, on processor stages
    python -m benchmarks.curate                  all four

The files are those of the sample corpus (MOBIUS_CORPUS, or ../shared/corpus), repeated to the number asked for.
"""

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

PROCESSOR_STAGES = ("probe", "quality", "text", "clean", "video_caption")
ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus")) / "sample"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measures = {"probe": measure_probe, "flow": measure_flow, "memory": measure_memory, "workers": measure_workers}
    parser.add_argument("what", nargs="?", choices=list(measures), help="one of the four; default all")
    parser.add_argument("--files", type=int, default=2000, help="files for probe and flow")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, of which the median counts")
    parser.add_argument("--workers", type=int, default=2, help="worker processes, on both sides")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings for flow, on both sides")
    settings = parser.parse_args()
    for name in [settings.what] if settings.what else measures:
        measures[name](settings)


# Probe against a loop that only decodes.


def measure_probe(settings: argparse.Namespace) -> None:
    paths = sample_paths(settings.files)
    shares = [paths[number :: settings.workers] for number in range(settings.workers)]
    with ProcessPoolExecutor(settings.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(warm_up, range(settings.workers)))
        rates: dict[str, list[float]] = {"bare": [], "probe": []}
        for _ in range(settings.rounds):
            for name, work in (("bare", decode_all), ("probe", probe_all)):
                started = time.perf_counter()
                list(pool.map(work, shares))
                rates[name].append(len(paths) / (time.perf_counter() - started))
    ratios = [probe / bare for probe, bare in zip(rates["probe"], rates["bare"], strict=True)]
    print(f"probe: {len(paths)} files, {settings.workers} processes, {settings.rounds} interleaved rounds")
    print(f"  bare Pillow decode to RGBA  {spread(rates['bare'])} files/s")
    print(f"  probe                       {spread(rates['probe'])} files/s")
    print(f"  ratio probe / bare          {spread(ratios, 2)}   (asked: at least 0.60)")


def warm_up(_: int) -> None:
    from pipeline.stages.probe import probe_media  # noqa: F401


def decode_all(paths: list[Path]) -> int:
    """Decode every frame of every file to an RGBA array, and do nothing with it."""
    total = 0
    for path in paths:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                total += np.asarray(image.convert("RGBA")).nbytes
    return total


def probe_all(paths: list[Path]) -> int:
    from pipeline.media.limits import LimitsConfig
    from pipeline.stages.probe import probe_media

    return sum(probe_media(path.read_bytes(), limits=LimitsConfig()).num_frames for path in paths)


# The flow against the same stages in a plain loop.


def measure_flow(settings: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = write_copies(Path(folder) / "source", settings.files)
        cost: dict[str, list[Cost]] = {"plain": [], "flow": []}
        print(
            f"flow: {settings.files} files, {settings.workers} worker processes, {settings.rounds} interleaved rounds"
            f"{', ' if settings.set else ''}{' '.join(settings.set)}",
            flush=True,
        )
        for number in range(settings.rounds):
            for name in cost:
                command = curate_command(source, Path(folder) / f"{name}{number}", settings.workers, settings.set)
                if name == "plain":
                    command = [sys.executable, "-m", "benchmarks.plain_loop", *command[4:]]
                cost[name].append(cost_of(command))
                print(f"  {name:<6} {cost[name][-1].seconds:8.1f} s", flush=True)
        for unit in ("seconds", "cpu_seconds"):
            plain, flow = ([getattr(each, unit) for each in cost[name]] for name in ("plain", "flow"))
            print(f"  {unit}")
            print(f"    plain loop over the same stages  {spread(plain, 1)}")
            print(f"    flow, its Prefect server and all {spread(flow, 1)}")
            ratios = [each / other for each, other in zip(flow, plain, strict=True)]
            print(f"    ratio flow / plain               {spread(ratios, 3)}   (asked: at most 1.10 of the seconds)")
        print_stages(Path(folder) / "flow0")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and its children took: seconds on the clock, and of processors."""

    seconds: float
    cpu_seconds: float


def cost_of(command: list[str]) -> Cost:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=own_environment(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - started, cpu_seconds)


def print_stages(root: Path) -> None:
    command = [sys.executable, "-m", "flows.cli", "status", str(root), "--json"]
    ledger = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    total = sum(stage["seconds"] for stage in ledger["stages"].values())
    print("  where the time goes (work inside the stages, added up over workers)")
    for name, stage in ledger["stages"].items():
        answered = stage["ok"] + sum(stage["failed"].values())
        rate = answered / stage["seconds"] if stage["seconds"] else 0
        print(f"    {name:<14} {stage['seconds']:8.1f} s {stage['seconds'] / total:6.1%} {rate:10.1f} files/s per core")


# Memory of the flow's own process.


def measure_memory(settings: argparse.Namespace) -> None:
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for num_files in (2000, 20000):
            source = write_flat_pictures(Path(folder) / f"source{num_files}", num_files)
            command = curate_command(source, Path(folder) / f"root{num_files}", settings.workers)
            peaks[num_files] = peak_of_parent(command)
            print(
                f"memory: {num_files:6} files, peak of the flow's own process {peaks[num_files] / 2**20:7.1f} MB",
                flush=True,
            )
    growth = peaks[20000] / peaks[2000] - 1
    print(f"  growth {growth:+.1%}   (asked: less than +20 %)")


def peak_of_parent(command: list[str]) -> int:
    process = subprocess.Popen(
        command, cwd=ROOT, env=own_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.1)
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return peak


def write_flat_pictures(folder: Path, num_files: int) -> Path:
    """Write tiny pictures of one colour each, all different."""
    folder.mkdir()
    with (folder / "labels.jsonl").open("w") as labels:
        for number in range(num_files):
            colour = (number & 255, number >> 8 & 255, 128)
            Image.new("RGB", (8, 8), colour).save(folder / f"{number:05d}.png")
            labels.write(json.dumps({"path": f"{number:05d}.png", "label": f"label{number % 50}"}) + "\n")
    return folder


# Two worker processes against one.


def measure_workers(settings: argparse.Namespace) -> None:
    """Both runs' stages on the clock, from the first sample to the last; start and bookkeeping are in neither."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    print(f"workers: {settings.files} files, {settings.rounds} interleaved rounds, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        source = write_copies(Path(folder) / "source", settings.files)
        for number in range(settings.rounds):
            for workers in seconds:
                root = Path(folder) / f"root{workers}-{number}"
                cost_of(curate_command(source, root, workers, [*settings.set, "log.format=json"]))
                seconds[workers].append(stage_seconds(root))
                print(f"  {workers} workers: {seconds[workers][-1]:.1f} s in {', '.join(PROCESSOR_STAGES)}", flush=True)
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    print(f"  files/s of two workers against one {spread(ratios, 2)}   (asked: at least 1.8 where two cores are free)")


def stage_seconds(root: Path) -> float:
    """Return how long the stages of processors took on the clock, as the run recorded it."""
    record = json.loads(max((root / "runs").glob("*.json")).read_text())
    return sum(record["measured"][name]["seconds"] for name in PROCESSOR_STAGES)


# What both share.


def sample_paths(num_files: int) -> list[Path]:
    paths = sorted(SAMPLE.glob("*/*.gif"))
    if not paths:
        raise SystemExit(f"{SAMPLE}: no sample corpus; set MOBIUS_CORPUS to the folder that holds `sample`")
    return [paths[number % len(paths)] for number in range(num_files)]


def write_copies(folder: Path, num_files: int) -> Path:
    """List sample files under new names until there are enough; the run keeps duplicates."""
    folder.mkdir()
    with (folder / "labels.jsonl").open("w") as labels:
        for number, path in enumerate(sample_paths(num_files)):
            name = f"{number:06d}.gif"
            (folder / name).write_bytes(path.read_bytes())
            labels.write(json.dumps({"path": name, "label": path.parent.name}) + "\n")
    return folder


def curate_command(source: Path, root: Path, workers: int, settings: Sequence[str] = ()) -> list[str]:
    fixed = [
        f"source.path={source}",
        f"root={root}",
        f"engine.workers={workers}",
        "select.drop_duplicates=false",
    ]
    return [
        sys.executable,
        "-m",
        "flows.cli",
        "curate",
        "flows/configs/laptop.toml",
        *fixed,
        "select.min_label_count=5",
        *settings,
    ]


def own_environment() -> dict[str, str]:
    """Leave out a configured Prefect server: the flow's own start is part of what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}


def spread(values: list[float], digits: int = 0) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"median {middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()

"""Curation speed: probe against bare decoding, the flow against a plain loop, memory against the number of files.

    python -m benchmarks.curate probe            files/s of probe and of a bare Pillow loop, interleaved, medians
    python -m benchmarks.curate flow             whole wall time of the flow and of the same stages in a plain loop
    python -m benchmarks.curate memory           peak memory of the flow's own process on 2,000 and 20,000 files
    python -m benchmarks.curate                  all three

The files are those of the sample corpus (MOBIUS_CORPUS, or ../shared/corpus), repeated to the number asked for.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus")) / "sample"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["probe", "flow", "memory"], help="one of the three; default all")
    parser.add_argument("--files", type=int, default=2000, help="files for probe and flow")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, of which the median counts")
    parser.add_argument("--workers", type=int, default=2, help="worker processes, on both sides")
    settings = parser.parse_args()
    measures = {"probe": measure_probe, "flow": measure_flow, "memory": measure_memory}
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
        seconds: dict[str, list[float]] = {"plain": [], "flow": []}
        for number in range(settings.rounds):
            for name, run in (("plain", run_plain), ("flow", run_flow)):
                seconds[name].append(run(source, Path(folder) / f"{name}{number}", settings.workers))
        ratios = [flow / plain for flow, plain in zip(seconds["flow"], seconds["plain"], strict=True)]
        print(
            f"flow: {settings.files} files, {settings.workers} worker processes, {settings.rounds} interleaved rounds"
        )
        print(f"  plain loop over the same stages  {spread(seconds['plain'], 1)} s")
        print(f"  flow, its Prefect server and all {spread(seconds['flow'], 1)} s")
        print(f"  ratio flow / plain               {spread(ratios, 3)}   (asked: at most 1.10)")
        print_stages(Path(folder) / "flow0", settings.files)


def run_flow(source: Path, root: Path, workers: int) -> float:
    """Time the whole `mobius curate` process."""
    started = time.perf_counter()
    subprocess.run(
        curate_command(source, root, workers),
        cwd=ROOT,
        env=own_environment(),
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def run_plain(source: Path, root: Path, workers: int) -> float:
    """Time a process that calls the same stages over the same chunks in a pool, without Prefect."""
    command = [sys.executable, "-m", "benchmarks.plain_loop", *curate_command(source, root, workers)[4:]]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=own_environment(), check=True, capture_output=True)
    return time.perf_counter() - started


def print_stages(root: Path, num_files: int) -> None:
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


def curate_command(source: Path, root: Path, workers: int) -> list[str]:
    settings = [
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
        *settings,
        "select.min_label_count=5",
    ]


def own_environment() -> dict[str, str]:
    """Leave out a configured Prefect server: the flow's own start is part of what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}


def spread(values: list[float], digits: int = 0) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"median {middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()

"""Engines: what a run costs by itself, beyond its work: one over few files, and one that finds everything done.

    python -m benchmarks.engines

Processor seconds are those of the run and of everything it started: this process adopts what Ray leaves behind and
waits for it. The Prefect server of the run is among them.
"""

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ENGINES = ("threads", "processes", "dask", "ray")
NUM_FILES = 8
SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> None:
    """Print a table: engine, seconds and processor seconds of both runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="*", default=ENGINES)
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="mobius-engines-") as folder:
        source = draw(Path(folder) / "source")
        print("| engine | first run, s | processor s | nothing to do, s | processor s |\n|---|---|---|---|---|")
        for engine in arguments.engines:
            root = Path(folder) / engine
            cells = [f"{value:.0f}" for _ in range(2) for value in measure(engine, root, source, arguments.workers)]
            print(f"| `{engine}` | {' | '.join(cells)} |", flush=True)


def draw(folder: Path) -> Path:
    """Write small animated GIFs without text."""
    (folder / "plain").mkdir(parents=True)
    for number in range(NUM_FILES):
        frames = [Image.new("RGB", (24, 24), (30 * number, 200, 40 * step)) for step in range(6)]
        frames[0].save(folder / "plain" / f"{number}.gif", save_all=True, append_images=frames[1:], duration=100)
    return folder


def measure(engine: str, root: Path, source: Path, workers: int) -> tuple[float, float]:
    """Run the command once and return its wall and processor seconds."""
    settings = (f"root={root}", f"source.path={source}", f"engine.name={engine}", f"engine.workers={workers}")
    command = [sys.executable, "-m", "flows.cli", "curate", "flows/configs/laptop.toml", "select.min_label_count=1"]
    start, before = time.perf_counter(), processor_seconds()
    subprocess.run([*command, *settings], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    wait_for_adopted()
    return wall, processor_seconds() - before


def processor_seconds() -> float:
    """Those of every descendant that has ended and was waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_for_adopted() -> None:
    """Wait for descendants whose own parents are gone."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


if __name__ == "__main__":
    main()

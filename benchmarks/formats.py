"""Formats: a curated root, its t2v repeated -> samples per second and peak memory of each `mobius export --format`.

python -m benchmarks.formats ROOT --times 40
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.export.formats.table import FORMATS
from pipeline.root import DatasetRoot
from schemas.manifest import ExportFile
from schemas.storage import file_sha256

NAME = "t2v"


def repeat_set(root: Path, target: Path, times: int) -> int:
    """Write a set with every file of another so many times, keys apart, and return how many samples it has."""
    manifest = DatasetRoot(root).read_export(NAME)
    assert manifest is not None, f"{root}: no {NAME}"
    folder = target / NAME
    folder.mkdir(parents=True)
    files = []
    for number in range(times):
        for file in manifest.files:
            path = folder / f"{number:05d}-{file.name}"
            table = pq.read_table(root / NAME / file.name)
            keys = [hashlib.md5(f"{number} {key}".encode()).hexdigest() for key in table["key"].to_pylist()]
            table = table.set_column(table.schema.get_field_index("key"), "key", pa.array(keys))
            group_rows = max(1, table.num_rows * (32 << 20) // max(file.size_bytes, 1))
            pq.write_table(table, path, row_group_size=group_rows, compression="NONE")
            files.append(
                ExportFile(
                    name=path.name,
                    num_samples=table.num_rows,
                    size_bytes=path.stat().st_size,
                    sha256=file_sha256(path),
                )
            )
    num_samples = sum(file.num_samples for file in files)
    changed = manifest.model_copy(update={"files": files, "num_samples": num_samples})
    (folder / "manifest.json").write_text(changed.model_dump_json())
    return num_samples


def measure(root: Path, out: Path, format_name: str) -> tuple[float, float, int]:
    """Run the command in a process of its own: seconds of the clock, of the processor, and peak bytes."""
    command = [sys.executable, "-m", "flows.cli", "export", str(root), str(out), "--format", format_name]
    started = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, os.environ)
    _, status, used = os.wait4(process, 0)
    assert status == 0, format_name
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 40])
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    config = parser.parse_args()
    print("| format | samples | wall s | processor s | peak MiB | size MB |\n|---|---|---|---|---|---|")
    for times in config.times:
        with tempfile.TemporaryDirectory() as folder:
            num_samples = repeat_set(config.root, Path(folder) / "root", times)
            for name in config.formats:
                out = Path(folder) / "out"
                wall, processor, peak = measure(Path(folder) / "root", out, name)
                size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
                row = (
                    name,
                    f"{num_samples:,}",
                    f"{wall:.1f}",
                    f"{processor:.1f}",
                    f"{peak >> 20:,}",
                    f"{size / 1e6:,.0f}",
                )
                print(f"| {' | '.join(row)} |", flush=True)
                shutil.rmtree(out)


if __name__ == "__main__":
    main()

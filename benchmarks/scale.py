"""Scale: bookkeeping of 10 thousand to 10 million samples, without their pictures.

    python -m benchmarks.scale                       10,000, 100,000 and 1,000,000 samples
    python -m benchmarks.scale --samples 10000000    as many as you like; 10 million take about 25 GB of disk

Samples are real rows of real files: a tiny GIF each, a label as rare as labels are, one in twenty a copy of another.
The stages' answers are written as workers write them, but drawn, not computed. Everything that looks at all samples is
the product's own: ingest, select, sweep, cutting work, planning exports, the account, and at the end `mobius status`
and `mobius curate` on the finished root as processes. Each step runs in a process of its own, so that its peak of
memory is its own.
"""

import argparse
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pipeline.answers import OK, part_schema
from pipeline.chunks import cut_chunks
from pipeline.config import CurateConfig
from pipeline.decisions import read_decisions, write_decisions
from pipeline.export.columns import TRAINING_SETS
from pipeline.export.finish import find_work
from pipeline.export.plan import plan_export, stage_fingerprints
from pipeline.ingest import ingest_source
from pipeline.ledger import write_fates
from pipeline.measured import open_measured
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES, sweep
from pipeline.stages.stage import Asked
from schemas.manifest import ExportFile, ExportManifest
from schemas.storage import file_sha256, read_parquet, write_table, write_text

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE_ROWS = 100_000  # in one file of the source
NUM_LABELS = 3000
SHARE_OF_COPIES = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="where the roots are made and removed; default the temporary one")
    settings = parser.parse_args()
    print(f"{'samples':>10} {'step':<28} {'seconds':>9} {'cpu s':>8} {'cpu us/sample':>13} {'peak MB':>8}")
    for num_samples in settings.samples:
        folder = Path(tempfile.mkdtemp(prefix="mobius-scale-", dir=settings.folder))
        try:
            measure(folder, num_samples)
        finally:
            shutil.rmtree(folder)


def measure(folder: Path, num_samples: int) -> None:
    """Take one root through every step and print what each costs."""
    config = scale_config(folder)
    write_source(folder / "source", num_samples)
    steps: list[tuple[str, Callable[..., Any], bool]] = [
        ("ingest", ingest, True),
        ("cut probe", cut_first, True),
        ("(draw probe)", draw("probe"), False),
        ("select", decide, True),
        ("(draw quality)", draw("quality"), False),
        ("(draw text)", draw("text"), False),
        ("select again", decide, True),
        ("sweep", sweep_all, True),
        *[(f"(draw {name})", draw(name), False) for name in plan_stages(config) if name not in MEASURES],
        ("cut translation, complete", cut_last, True),
        ("plan both exports", plan_both, True),
        ("(draw exports)", draw_exports, False),
        ("account", account, True),
    ]
    for name, step, is_measured in steps:
        cost = in_a_process(step, config)
        if is_measured:
            report(num_samples, name, cost)
    commands = (
        ("mobius status", ["status", config.root]),
        ("mobius curate, looks again", ["curate"]),  # every stage is found complete by looking at its answers
        ("mobius curate, finished", ["curate"]),  # and here by names alone
    )
    for name, command in commands:
        report(num_samples, name, run_mobius(folder, config, command))


def scale_config(folder: Path) -> CurateConfig:
    """The laptop's config with the recipe's label count."""
    return CurateConfig.model_validate(
        {"root": str(folder / "root"), "source": {"path": str(folder / "source")}, "engine": {"workers": 2}}
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and of the processor, with children; peak of resident memory of the largest process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def report(num_samples: int, name: str, cost: Cost) -> None:
    per_sample = cost.cpu_seconds / num_samples * 1e6
    numbers = f"{cost.seconds:>9.1f} {cost.cpu_seconds:>8.1f} {per_sample:>13.1f} {cost.peak_bytes / 1e6:>8,.0f}"
    print(f"{num_samples:>10,} {name:<28} {numbers}", flush=True)


# The steps.


def ingest(config: CurateConfig) -> None:
    ingest_source(DatasetRoot(config.root_path), config.source, config=config.ingest)


def cut_first(config: CurateConfig) -> None:
    manifest = DatasetRoot(config.root_path).read_manifest()
    work = cut_chunks(DatasetRoot(config.root_path), config, stage="probe", num_workers=64)
    assert work.num_pending == manifest.num_samples
    assert len(work.chunks) <= 250, len(work.chunks)


def cut_last(config: CurateConfig) -> None:
    work = cut_chunks(DatasetRoot(config.root_path), config, stage="translation", num_workers=64)
    assert work.num_pending == 0, "every stage before it was drawn for exactly those whom it asks"


def decide(config: CurateConfig) -> None:
    write_decisions(DatasetRoot(config.root_path), config)


def sweep_all(config: CurateConfig) -> None:
    with open_measured(DatasetRoot(config.root_path), plan_stages(config)) as measured:
        sweep(measured, config.select)


def plan_both(config: CurateConfig) -> None:
    for training_set in TRAINING_SETS.values():
        find_work(DatasetRoot(config.root_path), config, training_set)


def account(config: CurateConfig) -> None:
    ledger = write_fates(DatasetRoot(config.root_path), config)
    assert ledger.balanced, ledger.disagreements
    assert ledger.pending == 0


def in_a_process(step: Callable[[CurateConfig], None], config: CurateConfig) -> Cost:
    """Run a step in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        cost: Cost = pool.apply(_timed, (step, config))
    return cost


def _timed(step: Callable[[CurateConfig], None], config: CurateConfig) -> Cost:
    started, before = time.perf_counter(), time.process_time()
    step(config)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Cost(time.perf_counter() - started, time.process_time() - before, peak)


def run_mobius(folder: Path, config: CurateConfig, command: list[str]) -> Cost:
    """Run a command of ours to its end."""
    if command == ["curate"]:
        (folder / "scale.toml").write_text(f'root = "{config.root}"\n[source]\npath = "{config.source.path}"\n')
        command = ["curate", str(folder / "scale.toml"), "engine.workers=2"]
    else:
        write_record(config)
    started = time.perf_counter()
    time_file = folder / "time"
    done = subprocess.run(
        ["/usr/bin/env", "time", "-o", str(time_file), "-f", "%U %S %M", sys.executable, "-m", "flows.cli", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds = time.perf_counter() - started
    user, system, peak = time_file.read_text().split()
    return Cost(seconds, float(user) + float(system), int(peak) * 1024)


def write_record(config: CurateConfig) -> None:
    """Record a run, as the flow would have."""
    from flows.runs import RunRecord

    RunRecord(DatasetRoot(config.root_path), config).write("done")


# What stands in for months of computing.


def write_source(folder: Path, num_samples: int) -> None:
    """Write Parquet files of tiny GIFs and labels."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    base = _tiny_gif()
    for number, first in enumerate(range(0, num_samples, SOURCE_ROWS)):
        size = min(SOURCE_ROWS, num_samples - first)
        media = [base[:-1] + b"\x21\xfe\x08" + b"%08x" % row + b"\x00;" for row in range(first, first + size)]
        ranks = np.minimum(generator.zipf(1.3, size), NUM_LABELS)
        table = pa.table({"media": media, "label": [f"label {rank}" for rank in ranks]})
        pq.write_table(table, folder / f"{number:05d}.parquet", row_group_size=10_000)


def _tiny_gif() -> bytes:
    buffer = io.BytesIO()
    Image.new("P", (1, 1)).save(buffer, "GIF")
    return buffer.getvalue()


class draw:  # noqa: N801 (reads as a verb where it is used; a class so that it can be sent to a process)
    """Write the answers of one stage for exactly those samples that it asks, one part per shard."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __call__(self, config: CurateConfig) -> None:
        root, plan = DatasetRoot(config.root_path), plan_stages(config)[self.stage]
        folder = root.stage_folder(self.stage, plan.fingerprint)
        schema = part_schema(plan.stage.answer_type)
        generator = np.random.default_rng(len(self.stage))
        for number, (shard, keys, videos) in enumerate(_asked(root, plan.stage.asked)):
            wants_video = videos if plan.video_only_reads else np.zeros(len(keys), bool)
            columns = _columns(schema, len(keys), wants_video, generator)
            table = pa.table({**columns, "key": keys}, schema=schema)
            write_table(folder / f"{shard}-{number:016x}-abcdef-{len(keys):05d}.parquet", table)


def _asked(root: DatasetRoot, asked: Asked) -> Iterator[tuple[str, pa.Array, np.ndarray[Any, Any]]]:
    """Yield shard, keys that a stage asks, and which of them are chosen for t2v."""
    for shard in root.read_manifest().shards:
        if asked == Asked.ALL:
            keys = read_parquet(root.shard_path(shard.name), ["key"])["key"].combine_chunks()
            yield shard.name, keys, np.zeros(len(keys), bool)
            continue
        rows = read_decisions(root, shard.name, shard.name)
        is_video = np.array(rows["t2v_reason"].is_null())
        is_asked = is_video if asked == Asked.T2V else np.array(rows["t2i_reason"].is_null())
        yield shard.name, rows["key"].filter(pa.array(is_asked)).combine_chunks(), is_video[is_asked]


def _columns(
    schema: pa.Schema, size: int, wants_video: np.ndarray[Any, Any], generator: np.random.Generator
) -> dict[str, pa.Array]:
    """Draw the columns of a part: what select reads as it is spread in a real pile, the rest plain."""
    drawn = {
        "status": pa.repeat(pa.scalar(OK), size),
        "wants_video": pa.array(wants_video),
        "num_frames": pa.array(generator.integers(1, 40, size)),
        "num_distinct_frames": pa.array(generator.integers(1, 40, size)),
        "pixels_hash": pa.array(_hashes(size, generator)),
        "text_area": pa.array(np.where(generator.random(size) < 0.6, 0.0, generator.random(size) * 0.5)),
    }
    return {field.name: drawn.get(field.name, _plain(field, size)) for field in schema}


def _hashes(size: int, generator: np.random.Generator) -> list[str]:
    """Hex digits, of which one in twenty is that of another sample of some shard."""
    own = generator.bytes(16 * size).hex()
    hashes = [own[32 * row : 32 * row + 32] for row in range(size)]
    for row in np.flatnonzero(generator.random(size) < SHARE_OF_COPIES):
        hashes[row] = f"{int(generator.integers(1 << 18)):032x}"
    return hashes


def _plain(field: pa.Field, size: int) -> pa.Array:
    if field.name in ("reason", "detail", "tokens", "clean_reason", "clean_media", "clean_mask"):
        return pa.nulls(size, field.type)
    if pa.types.is_string(field.type):
        text = "a blue figure that jumps up and down, about once a second" if "caption" in field.name else "drawn"
        return pa.repeat(pa.scalar(text), size)
    if pa.types.is_list(field.type):
        return pa.array([[]] * size, field.type)
    return pa.array(np.zeros(size), pa.float64()).cast(field.type)


def draw_exports(config: CurateConfig) -> None:
    """Write exported sets that hold keys alone, with the manifests that the plans ask for."""
    root = DatasetRoot(config.root_path)
    for name, training_set in TRAINING_SETS.items():
        plan = plan_export(root, config, training_set)
        folder = Path(root.export_folder(name))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "00000-00.parquet"
        num_samples = 0
        with pq.ParquetWriter(path, pa.schema([("key", pa.string())])) as writer:
            for shard in root.read_manifest().shards:
                rows = read_decisions(root, shard.name, shard.name)
                keys = rows["key"].filter(rows[f"{name}_reason"].is_null())
                writer.write_table(pa.table({"key": keys}))
                num_samples += len(keys)
        assert num_samples == plan.num_samples
        file = ExportFile(
            name=path.name, num_samples=num_samples, size_bytes=path.stat().st_size, sha256=file_sha256(path)
        )
        manifest = ExportManifest(
            name=name,
            plan=plan.digest,
            num_samples=num_samples,
            files=[file],
            fingerprints=stage_fingerprints(config, training_set),
            config={},
        )
        write_text(folder / "manifest.json", manifest.model_dump_json())
        write_text(root.export_state_path(name), f"{plan.state} {plan.digest}")


if __name__ == "__main__":
    main()

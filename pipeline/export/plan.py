"""Plan of an export: which chosen samples are complete, which shards make one piece of work, and a digest of it all.

The cut depends on data and config alone, never on workers, so equal input and config give equal files.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config import CurateConfig
from pipeline.export.columns import TrainingSet
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.tables import open_tables
from schemas.manifest import SCHEMA_VERSION

EXPORT_VERSION = 1
DIGEST_HEX_DIGITS = 12
EXPECTED_SIZE = {"t2i": 0.05, "t2v": 1.25}  # of the bytes as found; measured on the sample: 0.03 and 1.2

COMPLETE = """
SELECT d.key, d.shard, s.size_bytes, d.labels FROM decisions d JOIN samples s USING (key) {joins}
WHERE d.{name}_reason IS NULL ORDER BY d.shard, d.position
"""


@dataclass(frozen=True, slots=True)
class ShardRange:
    """A run of media shards, both included, whose chosen samples make about one file."""

    number: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What is to be written; `digest` names it."""

    digest: str
    num_samples: int
    ranges: tuple[ShardRange, ...]


def plan_export(root: DatasetRoot, config: CurateConfig, training_set: TrainingSet) -> ExportPlan:
    """Find the complete samples of a set and cut the shards into ranges of about one file each."""
    plans = plan_stages(config)
    with open_tables(root, plans, training_set.stages) as tables:
        tables.execute("CREATE TEMP TABLE decisions AS SELECT * FROM read_parquet($1)", [str(root.decisions_path)])
        query = COMPLETE.format(joins=_joins(training_set), name=training_set.name)
        digest = hashlib.sha256(_identity(config, training_set).encode())
        sizes: dict[str, int] = {}
        num_samples = 0
        for key, shard, size_bytes, labels in _rows(tables.execute(query)):
            digest.update(f"{key} {labels!r}\n".encode("utf-8", "surrogatepass"))
            sizes[shard] = sizes.get(shard, 0) + size_bytes
            num_samples += 1
    ranges = _ranges(sizes, config.export.file_bytes / EXPECTED_SIZE[training_set.name])
    return ExportPlan(digest.hexdigest()[:DIGEST_HEX_DIGITS], num_samples, tuple(ranges))


def stage_fingerprints(config: CurateConfig, training_set: TrainingSet) -> dict[str, str]:
    """Return the fingerprint of every stage behind a set."""
    plans = plan_stages(config)
    return {name: plans[name].fingerprint for name in training_set.stages}


def content_config(config: CurateConfig) -> dict[str, Any]:
    """Return the part of a config that decides what the files hold: not where they lie, nor who computes them."""
    return config.model_dump(mode="json", exclude={"root", "source", "ingest", "engine"})


def aside_folder(root: DatasetRoot, training_set: TrainingSet, digest: str) -> Path:
    """Return where a set is written before it takes its place."""
    return root.path / f".{training_set.name}-{digest}"


def _joins(training_set: TrainingSet) -> str:
    joins = []
    for stage in training_set.stages:
        needs_video = " AND translation.wants_video" if stage == "translation" and training_set.own else ""
        joins.append(f"JOIN {stage} ON {stage}.key = d.key AND {stage}.status = 'ok'{needs_video}")
    return " ".join(joins)


def _identity(config: CurateConfig, training_set: TrainingSet) -> str:
    identity = {
        "schema": SCHEMA_VERSION,
        "export": EXPORT_VERSION,
        "set": training_set.name,
        "config": content_config(config),
        "fingerprints": stage_fingerprints(config, training_set),
    }
    return json.dumps(identity, sort_keys=True)


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, int, list[str]]]:
    while batch := result.fetchmany(4096):
        yield from batch


def _ranges(sizes: dict[str, int], range_bytes: float) -> Iterator[ShardRange]:
    """Close a range before it would exceed so many bytes as found."""
    shards: list[str] = []
    total = number = 0
    for shard, size in sizes.items():
        if shards and total + size > range_bytes:
            yield ShardRange(number, shards[0], shards[-1])
            shards, total, number = [], 0, number + 1
        shards.append(shard)
        total += size
    if shards:
        yield ShardRange(number, shards[0], shards[-1])

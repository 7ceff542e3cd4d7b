"""Plan of an export: which chosen samples are complete, which shards make one piece of work, and a digest of it all.

The cut depends on data and config alone, never on workers, so equal input and config give equal files.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.config import CurateConfig
from pipeline.decisions import decisions_state, read_decisions
from pipeline.export.columns import TrainingSet
from pipeline.export.own_captions import caption_fields
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.state import state_digest
from pipeline.tables import list_parts, load_groups, open_database
from schemas.location import Location
from schemas.manifest import SCHEMA_VERSION

EXPORT_VERSION = 3
DIGEST_HEX_DIGITS = 12
EXPECTED_SIZE = {"t2i": 0.05, "t2v": 1.25}  # of the bytes as found; measured on the sample: 0.03 and 1.2

# Each label and each text with its length before it, so that only equal ones make equal digests.
COMPLETE = """
SELECT d.shard, count(*), sum(s.size_bytes), sha256(string_agg(concat(
           d.key, ' ', array_to_string(list_transform(d.labels, lambda x: concat(strlen(x), ':', x)), ' '),
           array_to_string(list_transform(
               list_filter(d.captions, lambda x: list_contains({fields}, x.field)),
               lambda x: concat(' ', x.field, ' ', strlen(x.text), ':', x.text, strlen(x.reviewer), ':', x.reviewer)
           ), ' ')
       ), chr(10) ORDER BY d.position))
FROM decisions d JOIN samples s USING (key) {joins}
WHERE d.{name}_reason IS NULL GROUP BY d.shard ORDER BY d.shard
"""


@dataclass(frozen=True, slots=True)
class ShardRange:
    """A run of media shards, both included, whose chosen samples make about one file."""

    number: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What is to be written; `digest` names it, `state` is that of all it was planned from (see pipeline.state)."""

    digest: str
    state: str
    num_samples: int
    ranges: tuple[ShardRange, ...]


def plan_export(root: DatasetRoot, config: CurateConfig, training_set: TrainingSet) -> ExportPlan:
    """Find the complete samples of a set and cut the shards into ranges of about one file each."""
    plans = plan_stages(config)
    state = export_state(root, config, training_set)
    query = COMPLETE.format(joins=_joins(training_set), name=training_set.name, fields=caption_fields(training_set))
    digest = hashlib.sha256(_identity(config, training_set).encode())
    sizes: dict[str, int] = {}
    num_samples = 0
    with open_database() as tables:
        parts = list_parts(root, plans, training_set.stages)
        for group in load_groups(tables, root, plans, parts, sample_columns=("key", "size_bytes"), columns={}):
            if not group:
                continue
            tables.register("decisions", read_decisions(root, group[0].name, group[-1].name))
            for shard, count, size_bytes, content in tables.execute(query).fetchall():
                digest.update(f"{shard} {content}\n".encode())
                sizes[shard] = int(size_bytes)
                num_samples += count
    ranges = _ranges(sizes, config.export.file_bytes / EXPECTED_SIZE[training_set.name])
    return ExportPlan(digest.hexdigest()[:DIGEST_HEX_DIGITS], state, num_samples, tuple(ranges))


def export_state(root: DatasetRoot, config: CurateConfig, training_set: TrainingSet) -> str:
    """Return the digest of everything that planning reads, from names alone."""
    plans = plan_stages(config)
    return state_digest(
        root.read_manifest(),
        plans,
        list_parts(root, plans, training_set.stages),
        decisions=decisions_state(root),
        identity=_identity(config, training_set),
        file_bytes=config.export.file_bytes,
    )


def stage_fingerprints(config: CurateConfig, training_set: TrainingSet) -> dict[str, str]:
    """Return the fingerprint of every stage behind a set."""
    plans = plan_stages(config)
    return {name: plans[name].fingerprint for name in training_set.stages}


def content_config(config: CurateConfig) -> dict[str, Any]:
    """Return the part of a config that decides what the files hold: not their place, nor who makes or watches them."""
    return config.model_dump(mode="json", exclude={"root", "source", "ingest", "engine", "log", "metrics"})


def aside_folder(root: DatasetRoot, training_set: TrainingSet, digest: str) -> Location:
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

"""Decisions on disk: what select decided about every probed sample, and whom a stage therefore asks."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from pipeline.config import CurateConfig
from pipeline.measured import open_measured, ordinals_of
from pipeline.plan import plan_stages
from pipeline.review.adopt import adopted_digest
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES, Selection
from pipeline.stages.stage import Asked
from pipeline.state import state_digest
from pipeline.tables import list_parts, shard_groups
from schemas.storage import open_parquet, parquet_compression, read_parquet, written_aside

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("position", pa.int32()),
        ("labels", pa.list_(pa.string())),
        ("duplicate_of", pa.string()),
        ("t2i_reason", pa.string()),
        ("t2v_reason", pa.string()),
        ("captions", pa.list_(pa.struct([(name, pa.string()) for name in ("field", "text", "reviewer")]))),
    ]
)
STATE, COUNT = b"mobius.state", b"mobius.count"


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many samples a selection keeps for each training set, and why it rejects the others."""

    chosen: dict[str, int]
    rejected: dict[str, dict[str, int]]


COUNTS = TypeAdapter(DecisionCount)


def write_decisions(root: DatasetRoot, config: CurateConfig) -> DecisionCount:
    """Decide about every sample that is probed by now, and write the decisions, unless they are there already.

    Memory: DuckDB's own, and the decisions about one group of shards.
    """
    plans, manifest = plan_stages(config), root.read_manifest()
    thresholds, review = config.select.model_dump(mode="json"), adopted_digest(root)
    state = state_digest(manifest, plans, list_parts(root, plans, MEASURES), select=thresholds, review=review)
    known = _read_metadata(root)
    if known.get(STATE, b"").decode() == state:
        with suppress(ValidationError, KeyError):  # not as this version writes it: decided anew
            return COUNTS.validate_json(known[COUNT])
    with open_measured(root, plans) as measured, written_aside(root.decisions_path) as aside:
        selection = Selection(measured, config.select)
        with pq.ParquetWriter(aside, SCHEMA, compression=parquet_compression(SCHEMA)) as writer:
            for group in shard_groups(manifest.shards):
                decisions = selection.decide(*ordinals_of(measured, group)).cast(SCHEMA)
                for shard in group:  # a row group for each, so that the decisions about one shard are read alone
                    writer.write_table(decisions.filter(pc.equal(decisions["shard"], shard.name)))
            count = count_decisions(selection)
            writer.add_key_value_metadata({STATE: state, COUNT: json.dumps(asdict(count))})
    return count


def count_decisions(selection: Selection) -> DecisionCount:
    """Count decisions by training set and reason."""
    chosen = {"t2i": 0, "t2v": 0}
    rejected: dict[str, Counter[str]] = {"t2i": Counter(), "t2v": Counter()}
    for t2i_reason, t2v_reason, num in selection.count():
        for name, reason in (("t2i", t2i_reason), ("t2v", t2v_reason)):
            if reason is None:
                chosen[name] += num
            else:
                rejected[name][reason] += num
    return DecisionCount(chosen, {name: dict(sorted(reasons.items())) for name, reasons in rejected.items()})


def decisions_state(root: DatasetRoot) -> str:
    """Return the digest of what the decisions on disk were made from, "" if there are none."""
    return _read_metadata(root).get(STATE, b"").decode()


def read_decisions(root: DatasetRoot, first_shard: str, last_shard: str) -> pa.Table:
    """Return the decisions about neighbouring shards, both included."""
    filters = [("shard", ">=", first_shard), ("shard", "<=", last_shard)]
    return read_parquet(root.decisions_path, SCHEMA.names, filters=filters)


def read_asked(root: DatasetRoot, asked: Asked, shard: str) -> Mapping[str, bool] | None:
    """Return the samples of a shard that a stage asks, each with whether it is chosen for t2v; None = everybody."""
    if asked == Asked.ALL:
        return None
    columns = ["key", "t2i_reason", "t2v_reason"]
    rows = read_parquet(root.decisions_path, columns, filters=[("shard", "=", shard)]).to_pylist()
    chosen = {row["key"]: row["t2v_reason"] is None for row in rows if row["t2i_reason"] is None}
    if asked == Asked.T2V:
        return {key: True for key, is_video in chosen.items() if is_video}
    return chosen


def _read_metadata(root: DatasetRoot) -> Mapping[bytes, bytes]:
    try:
        with open_parquet(root.decisions_path) as file:
            return dict(file.metadata.metadata or {})
    except FileNotFoundError:
        return {}

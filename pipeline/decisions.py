"""Decisions on disk: what select decided about every probed sample, and whom a stage therefore asks."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.config import CurateConfig
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import decide
from pipeline.stages.stage import Asked
from pipeline.tables import open_tables
from schemas.storage import write_table


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many samples a selection keeps for each training set, and why it rejects the others."""

    chosen: dict[str, int]
    rejected: dict[str, dict[str, int]]


def write_decisions(root: DatasetRoot, config: CurateConfig) -> DecisionCount:
    """Decide about every sample that is probed by now, and write the decisions."""
    with open_tables(root, plan_stages(config), ("probe", "text")) as tables:
        decisions = decide(tables, config.select)
    write_table(root.decisions_path, decisions)
    return count_decisions(decisions)


def count_decisions(decisions: pa.Table) -> DecisionCount:
    """Count a table of decisions by training set and reason."""
    chosen: dict[str, int] = {}
    rejected: dict[str, dict[str, int]] = {}
    for name in ("t2i", "t2v"):
        counted = pc.value_counts(decisions[f"{name}_reason"]).to_pylist()
        reasons = {row["values"]: row["counts"] for row in counted}
        chosen[name] = reasons.pop(None, 0)
        rejected[name] = dict(sorted(reasons.items()))
    return DecisionCount(chosen, rejected)


def read_asked(root: DatasetRoot, asked: Asked, shard: str) -> Mapping[str, bool] | None:
    """Return the samples of a shard that a stage asks, each with whether it is chosen for t2v; None = everybody."""
    if asked == Asked.ALL:
        return None
    columns = ["key", "t2i_reason", "t2v_reason"]
    rows = pq.read_table(
        root.decisions_path, columns=columns, filters=[("shard", "=", shard)], partitioning=None
    ).to_pylist()
    chosen = {row["key"]: row["t2v_reason"] is None for row in rows if row["t2i_reason"] is None}
    if asked == Asked.T2V:
        return {key: True for key, is_video in chosen.items() if is_video}
    return chosen

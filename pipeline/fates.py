"""Fates: every ingested sample -> exactly one fate for each training set, as SQL over all tables of a root.

The fate is the first of these that holds, in the order in which data travels: quarantined at a stage (stage, reason),
pending at a stage, rejected by select (reason), exported, pending at export. The fate for the union of both sets is
that of t2i, because every sample of t2v is one of t2i; what keeps it out of t2v is told beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.export.columns import T2V, TRAINING_SETS, TrainingSet
from pipeline.plan import Plans
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES, SelectConfig, decide
from pipeline.tables import open_tables

FATES = EXPORTED, REJECTED, QUARANTINED, PENDING = "exported", "rejected", "quarantined", "pending"

EARLY_REASONS = "('duplicate', 'no_label')"  # known before text is read


def open_fates(root: DatasetRoot, select: SelectConfig, plans: Plans) -> duckdb.DuckDBPyConnection:
    """Open all tables of a root with the views fates_t2i, fates_t2v and fates, one row per sample."""
    tables = open_tables(root, plans, plans)
    decisions = decide(tables, select)
    tables.register("decided", decisions)
    tables.execute("CREATE TEMP TABLE decisions AS SELECT * FROM decided")
    for training_set in TRAINING_SETS.values():
        _create_exported(root, plans, tables, training_set)
        tables.execute(_fates_query(training_set))
    tables.execute(
        "CREATE TEMP TABLE fates AS SELECT i.*, v.fate AS t2v_fate, v.stage AS t2v_stage, v.why AS t2v_reason, "
        "d.duplicate_of FROM fates_t2i i JOIN fates_t2v v USING (key) LEFT JOIN decisions d USING (key)"
    )
    return tables


def _create_exported(
    root: DatasetRoot, plans: Plans, tables: duckdb.DuckDBPyConnection, training_set: TrainingSet
) -> None:
    manifest = root.read_export(training_set.name)
    if manifest and any(plans[name].fingerprint != made for name, made in manifest.fingerprints.items()):
        manifest = None  # made of other answers than these: to be exported again
    files = [root.export_folder(training_set.name) / file.name for file in manifest.files] if manifest else []
    keys = [
        pq.read_table(path, columns=["key"], partitioning=None)["key"].combine_chunks()
        for path in files
        if path.exists()
    ]
    table = pa.table({"key": pa.chunked_array(keys, pa.string())})
    tables.register("exported_keys", table)
    tables.execute(f"CREATE TEMP TABLE exported_{training_set.name} AS SELECT * FROM exported_keys")
    tables.unregister("exported_keys")


def _fates_query(training_set: TrainingSet) -> str:
    """Build the query that gives each sample its fate: a list of rules, the first that holds counts."""
    name = training_set.name
    rules = [_Rule("s.reason IS NOT NULL", QUARANTINED, "ingest", "s.reason", "s.detail")]
    rules += _stage_rules("probe")
    rules += [_Rule(f"d.{name}_reason IN {EARLY_REASONS}", REJECTED, "select", f"d.{name}_reason", "NULL")]
    rules += _stage_rules("text")
    rules += [_Rule(f"d.{name}_reason IS NOT NULL", REJECTED, "select", f"d.{name}_reason", "NULL")]
    for stage in training_set.stages[len(MEASURES) :]:
        needs_video = stage == "translation" and training_set is T2V
        rules += _stage_rules(stage, also="AND translation.wants_video" if needs_video else "")
    rules += [_Rule("e.key IS NOT NULL", EXPORTED, "export", "NULL", "NULL")]
    rules += [_Rule("true", PENDING, "export", "NULL", "NULL")]
    joins = " ".join(f"LEFT JOIN {stage} ON {stage}.key = s.key" for stage in training_set.stages)
    columns = {
        "fate": _cases(rules, lambda rule: f"'{rule.fate}'"),
        "stage": _cases(rules, lambda rule: f"'{rule.stage}'"),
        "why": _cases(rules, lambda rule: rule.reason),
        "detail": _cases(rules, lambda rule: rule.detail),
    }
    chosen = ", ".join(f"{case} AS {column}" for column, case in columns.items())
    return (
        f"CREATE TEMP TABLE fates_{name} AS SELECT s.key, s.source, s.path, s.label, s.shard, s.position, {chosen} "
        f"FROM samples s LEFT JOIN decisions d ON d.key = s.key "
        f"LEFT JOIN exported_{name} e ON e.key = s.key {joins}"
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """If the condition holds, this is the fate; reason and detail are SQL expressions."""

    condition: str
    fate: str
    stage: str
    reason: str
    detail: str


def _stage_rules(stage: str, *, also: str = "") -> list[_Rule]:
    failed = _Rule(f"{stage}.status = 'failed'", QUARANTINED, stage, f"{stage}.reason", f"{stage}.detail")
    unanswered = _Rule(f"NOT coalesce({stage}.status = 'ok' {also}, false)", PENDING, stage, "NULL", "NULL")
    return [failed, unanswered]


def _cases(rules: list[_Rule], value: Callable[[_Rule], str]) -> str:
    whens = " ".join(f"WHEN {rule.condition} THEN {value(rule)}" for rule in rules)
    return f"CASE {whens} END"


def list_fates(
    root: DatasetRoot, select: SelectConfig, plans: Plans, *, fate: str | None, reason: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return samples with their fates in order of ingestion; `limit` 0 returns all of them."""
    conditions, values = ["true"], []
    if fate is not None:
        conditions.append("fate = ?")
        values.append(fate)
    if reason is not None:
        conditions.append("? IN (why, t2v_reason)")
        values.append(reason)
    query = f"SELECT * FROM fates WHERE {' AND '.join(conditions)} ORDER BY shard, position"
    with open_fates(root, select, plans) as tables:
        found = tables.sql(f"{query} LIMIT {int(limit)}" if limit else query, params=values).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows

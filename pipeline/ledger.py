"""Ledger: every ingested sample -> exactly one fate, and the proof that the sums agree.

A sample's fate for one training set is the first of these that holds, in the order in which data travels:
quarantined at a stage (stage, reason), pending at a stage, rejected by select (reason), exported, pending at export.
Its fate for the union of both sets is that of t2i, because every sample of t2v is one of t2i; what keeps it out of t2v
is told beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import CurateConfig
from pipeline.export.columns import T2I, T2V, TRAINING_SETS, TrainingSet
from pipeline.plan import StagePlan, plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import decide
from pipeline.storage import write_table
from pipeline.tables import open_tables

FATES = EXPORTED, REJECTED, QUARANTINED, PENDING = "exported", "rejected", "quarantined", "pending"

MEASURING_STAGES = ("probe", "text")
EARLY_REASONS = "('duplicate', 'no_label')"


@dataclass(frozen=True, slots=True)
class StageCount:
    """What one stage has done so far; `seconds` is the work inside it, added up over workers."""

    ok: int
    failed: dict[str, int]
    pending: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SetCount:
    """The fates of all samples for one training set."""

    exported: int
    rejected: dict[str, int]
    quarantined: dict[str, dict[str, int]]
    pending: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of a dataset root. `exported` counts both sets; the other fates are those of their union."""

    ingested: int
    exported: dict[str, int]
    rejected: dict[str, int]
    quarantined: dict[str, dict[str, int]]
    pending: int
    balanced: bool
    disagreements: list[str]
    sets: dict[str, SetCount]
    stages: dict[str, StageCount]


def write_fates(root: DatasetRoot, config: CurateConfig) -> Ledger:
    """Write the fate of every sample to fates.parquet and return the account."""
    with open_ledger(root, config) as tables:
        write_table(
            root.fates_path, tables.sql("SELECT * FROM fates ORDER BY shard, position").to_arrow_table()
        )
        return _count(root, config, tables)


def read_ledger(root: DatasetRoot, config: CurateConfig) -> Ledger:
    """Return the account of a dataset root as its files stand now."""
    with open_ledger(root, config) as tables:
        return _count(root, config, tables)


def list_fates(
    root: DatasetRoot, config: CurateConfig, *, fate: str | None, reason: str | None, limit: int
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
    with open_ledger(root, config) as tables:
        found = tables.sql(f"{query} LIMIT {int(limit)}" if limit else query, params=values).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def open_ledger(root: DatasetRoot, config: CurateConfig) -> duckdb.DuckDBPyConnection:
    """Open all tables of a root with the views fates_t2i, fates_t2v and fates, one row per sample."""
    plans = plan_stages(config)
    tables = open_tables(root, plans, plans)
    decisions = decide(tables, config.select)
    tables.register("decided", decisions)
    tables.execute("CREATE TEMP TABLE decisions AS SELECT * FROM decided")
    for training_set in TRAINING_SETS.values():
        _create_exported(root, tables, training_set)
        tables.execute(_fates_query(training_set, plans))
    tables.execute(
        "CREATE TEMP TABLE fates AS SELECT i.*, v.fate AS t2v_fate, v.stage AS t2v_stage, v.why AS t2v_reason, "
        "d.duplicate_of FROM fates_t2i i JOIN fates_t2v v USING (key) LEFT JOIN decisions d USING (key)"
    )
    return tables


def _create_exported(root: DatasetRoot, tables: duckdb.DuckDBPyConnection, training_set: TrainingSet) -> None:
    manifest = root.read_export(training_set.name)
    files = [root.export_folder(training_set.name) / file.name for file in manifest.files] if manifest else []
    keys = [pq.read_table(path, columns=["key"])["key"].combine_chunks() for path in files if path.exists()]
    table = pa.table({"key": pa.chunked_array(keys, pa.string())})
    tables.register("exported_keys", table)
    tables.execute(f"CREATE TEMP TABLE exported_{training_set.name} AS SELECT * FROM exported_keys")
    tables.unregister("exported_keys")


def _fates_query(training_set: TrainingSet, plans: Mapping[str, StagePlan]) -> str:
    """Build the query that gives each sample its fate: a list of rules, the first that holds counts."""
    name = training_set.name
    rules = [_Rule("s.reason IS NOT NULL", QUARANTINED, "ingest", "s.reason", "s.detail")]
    rules += _stage_rules("probe")
    rules += [_Rule(f"d.{name}_reason IN {EARLY_REASONS}", REJECTED, "select", f"d.{name}_reason", "NULL")]
    rules += _stage_rules("text")
    rules += [_Rule(f"d.{name}_reason IS NOT NULL", REJECTED, "select", f"d.{name}_reason", "NULL")]
    for stage in training_set.stages[len(MEASURING_STAGES) :]:
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


def _cases(rules: list[_Rule], value: Any) -> str:
    whens = " ".join(f"WHEN {rule.condition} THEN {value(rule)}" for rule in rules)
    return f"CASE {whens} END"


def _count(root: DatasetRoot, config: CurateConfig, tables: duckdb.DuckDBPyConnection) -> Ledger:
    sets = {name: _count_set(tables, name) for name in TRAINING_SETS}
    union = sets[T2I.name]
    ingested = root.read_manifest().num_samples
    disagreements = list(_disagreements(root, tables, sets, ingested))
    return Ledger(
        ingested=ingested,
        exported={name: each.exported for name, each in sets.items()},
        rejected=union.rejected,
        quarantined=union.quarantined,
        pending=union.pending,
        balanced=not disagreements,
        disagreements=disagreements,
        sets=sets,
        stages={name: _count_stage(tables, name) for name in plan_stages(config)},
    )


def _count_set(tables: duckdb.DuckDBPyConnection, name: str) -> SetCount:
    query = f"SELECT fate, stage, why, count(*) FROM fates_{name} GROUP BY ALL ORDER BY ALL"
    exported = pending = 0
    rejected: dict[str, int] = {}
    quarantined: dict[str, dict[str, int]] = {}
    for fate, stage, reason, count in tables.execute(query).fetchall():
        if fate == REJECTED:
            rejected[reason] = count
        elif fate == QUARANTINED:
            quarantined.setdefault(stage, {})[reason] = count
        elif fate == EXPORTED:
            exported += count
        else:
            pending += count
    return SetCount(exported, rejected, quarantined, pending)


def _count_stage(tables: duckdb.DuckDBPyConnection, stage: str) -> StageCount:
    rows = tables.execute(
        f"SELECT status, reason, count(*), sum(seconds) FROM {stage} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    waiting = tables.execute(
        "SELECT count(*) FROM fates_t2i i JOIN fates_t2v v USING (key) "
        f"WHERE (i.fate = 'pending' AND i.stage = '{stage}') OR (v.fate = 'pending' AND v.stage = '{stage}')"
    ).fetchone()
    assert waiting is not None
    return StageCount(
        ok=sum(count for status, _, count, _ in rows if status == "ok"),
        failed={reason: count for status, reason, count, _ in rows if status == "failed"},
        pending=waiting[0],
        seconds=round(sum(seconds for *_, seconds in rows), 3),
    )


def _disagreements(
    root: DatasetRoot, tables: duckdb.DuckDBPyConnection, sets: Mapping[str, SetCount], ingested: int
) -> Any:
    """Yield a sentence for every pair of independent counts that should be equal and is not."""

    def number(query: str) -> int:
        row = tables.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    keys = number("SELECT count(DISTINCT key) FROM samples")
    if keys != ingested:
        yield f"{keys} keys in the media shards, {ingested} samples in manifest.json"
    for name, each in sets.items():
        rejected = sum(each.rejected.values())
        quarantined = sum(sum(reasons.values()) for reasons in each.quarantined.values())
        total = each.exported + rejected + quarantined + each.pending
        if total != ingested:
            yield f"{name}: {total} fates for {ingested} ingested samples"
        manifest = root.read_export(name)
        written = number(f"SELECT count(*) FROM exported_{name}")
        if manifest is not None and manifest.num_samples != written:
            yield f"{name}: {written} rows in its files, {manifest.num_samples} in its manifest"
        if written != each.exported:
            yield f"{name}: {written} rows in its files, {each.exported} chosen by these thresholds; export again"
    lost = number(
        "SELECT count(*) FROM fates_t2v v JOIN fates_t2i i USING (key) "
        "WHERE v.fate = 'exported' AND i.fate <> 'exported'"
    )
    if lost:
        yield f"{lost} samples are in t2v and not in t2i"

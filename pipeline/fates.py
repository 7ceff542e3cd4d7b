"""Fates: every ingested sample -> exactly one fate for each training set, as SQL over all tables of a root.

The fate is the first of these that holds, in the order in which data travels: quarantined at a stage (stage, reason),
pending at a stage, rejected by select (reason), exported, pending at export. The fate for the union of both sets is
that of t2i, because every sample of t2v is one of t2i; what keeps it out of t2v is told beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.answers import NUM_TRIES, read_ahead
from pipeline.export.columns import T2V, TRAINING_SETS, TrainingSet
from pipeline.measured import open_measured, ordinals_of
from pipeline.plan import Plans
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES, SelectConfig, Selection, reasons_known_after
from pipeline.tables import SAMPLE_COLUMNS, list_parts, load_groups
from schemas.storage import list_finished

FATES = EXPORTED, REJECTED, QUARANTINED, PENDING = "exported", "rejected", "quarantined", "pending"

FATE_COLUMNS = ("reason", "detail", "seconds", "waited_seconds", "tokens")
NO_COLUMNS: Mapping[str, Sequence[str]] = {}

ALL_FATES = """
CREATE OR REPLACE TEMP TABLE fates AS
SELECT i.*, v.fate AS t2v_fate, v.stage AS t2v_stage, v.why AS t2v_reason, d.duplicate_of
FROM fates_t2i i JOIN fates_t2v v USING (key) LEFT JOIN decisions d USING (key)
"""


@dataclass(frozen=True, slots=True)
class Fates:
    """The fates of a whole root; `groups` makes the tables of one group of shards after the other."""

    tables: duckdb.DuckDBPyConnection
    groups: Iterator[duckdb.DuckDBPyConnection]


@contextmanager
def open_fates(
    root: DatasetRoot, select: SelectConfig, plans: Plans, *, columns: Mapping[str, Sequence[str]] = NO_COLUMNS
) -> Iterator[Fates]:
    """Open a database with `measured` and `exported_keys_t2i`, `exported_keys_t2v` of the whole root.

    Each of `groups` has, for some shards, all stages and the tables fates_t2i, fates_t2v and fates, one row per sample.
    columns: for some stages, what is wanted of their answers beside FATE_COLUMNS.
    """
    with open_measured(root, plans) as tables:
        selection = Selection(tables, select)
        for training_set in TRAINING_SETS.values():
            _load_current_export(root, plans, tables, training_set)
        yield Fates(tables, _fates_by_group(root, plans, tables, selection, columns))


def _fates_by_group(
    root: DatasetRoot,
    plans: Plans,
    tables: duckdb.DuckDBPyConnection,
    selection: Selection,
    columns: Mapping[str, Sequence[str]],
) -> Iterator[duckdb.DuckDBPyConnection]:
    wanted = {name: (*FATE_COLUMNS, *columns.get(name, ())) for name in plans}
    parts = list_parts(root, plans, plans)
    for group in load_groups(tables, root, plans, parts, sample_columns=SAMPLE_COLUMNS, columns=wanted):
        first, end = ordinals_of(tables, group)
        tables.register("decided", selection.decide(first, end))
        tables.execute("CREATE OR REPLACE TEMP TABLE decisions AS SELECT * FROM decided")
        tables.unregister("decided")
        for training_set in TRAINING_SETS.values():
            name = training_set.name
            tables.execute(
                f"CREATE OR REPLACE TEMP TABLE exported_{name} AS SELECT replace(key::VARCHAR, '-', '') AS key "
                f"FROM measured SEMI JOIN exported_keys_{name} USING (key) WHERE ordinal >= $1 AND ordinal < $2",
                [first, end],
            )
            tables.execute(_fates_query(training_set))
        tables.execute(ALL_FATES)
        yield tables


def _load_current_export(
    root: DatasetRoot, plans: Plans, tables: duckdb.DuckDBPyConnection, training_set: TrainingSet
) -> None:
    """Load the keys of a set, which a run may put in the place of another meanwhile."""
    for _ in range(NUM_TRIES - 1):
        with suppress(FileNotFoundError):
            return _load_exported(root, plans, tables, training_set)
    return _load_exported(root, plans, tables, training_set)


def _load_exported(
    root: DatasetRoot, plans: Plans, tables: duckdb.DuckDBPyConnection, training_set: TrainingSet
) -> None:
    manifest = root.read_export(training_set.name)
    if manifest and any(plans[name].fingerprint != made for name, made in manifest.fingerprints.items()):
        manifest = None  # made of other answers than these: to be exported again
    folder = root.export_folder(training_set.name)
    there = set(list_finished(folder)) if manifest else set()
    files = [folder / file.name for file in manifest.files] if manifest else []
    tables.execute(f"CREATE OR REPLACE TABLE exported_keys_{training_set.name} (key UUID)")
    for keys in read_ahead([path for path in files if path in there], ["key"]):
        tables.register("keys", keys)
        tables.execute(f"INSERT INTO exported_keys_{training_set.name} SELECT key::UUID FROM keys")
        tables.unregister("keys")


def _fates_query(training_set: TrainingSet) -> str:
    """Build the query that gives each sample its fate: a list of rules, the first that holds counts."""
    name = training_set.name
    rules = [_Rule("s.reason IS NOT NULL", QUARANTINED, "ingest", "s.reason", "s.detail")]
    for stage in MEASURES:  # who is rejected from both sets after one of them is not asked by the next
        rules += _stage_rules(stage)
        known = ", ".join(f"'{reason}'" for reason in reasons_known_after(stage))
        rules += [_Rule(f"d.t2i_reason IN ({known})", REJECTED, "select", f"d.{name}_reason", "NULL")]
    rules += [_Rule(f"d.{name}_reason IS NOT NULL", REJECTED, "select", f"d.{name}_reason", "NULL")]
    for stage in (each for each in training_set.stages if each not in MEASURES):
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
        f"CREATE OR REPLACE TEMP TABLE fates_{name} AS "
        f"SELECT s.key, s.source, s.path, s.label, s.shard, s.position, {chosen} "
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
    rows: list[dict[str, Any]] = []
    with open_fates(root, select, plans) as fates:
        for tables in fates.groups:
            room = f" LIMIT {int(limit) - len(rows)}" if limit else ""
            rows += tables.sql(query + room, params=values).to_arrow_table().to_pylist()
            if limit and len(rows) >= limit:
                break
    return rows

"""Ledger: the fates of all samples -> counts, and the proof that the sums agree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from pipeline.config import CurateConfig
from pipeline.export.columns import T2I, TRAINING_SETS
from pipeline.fates import EXPORTED, QUARANTINED, REJECTED, open_fates
from pipeline.plan import Plans, plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import SelectConfig
from schemas.storage import write_table


@dataclass(frozen=True, slots=True)
class StageCount:
    """What one stage has done so far; seconds are the work inside it, added up over workers.

    waited_seconds: of them, until a batch was decoded and prepared: a model waits as long. tokens: written by its
    model; None where none counts them.
    """

    ok: int
    failed: dict[str, int]
    pending: int
    seconds: float
    waited_seconds: float = 0.0
    tokens: int | None = None


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
    plans = plan_stages(config)
    with open_fates(root, config.select, plans) as tables:
        write_table(root.fates_path, tables.sql("SELECT * FROM fates ORDER BY shard, position").to_arrow_table())
        return _count(root, plans, tables)


def read_ledger(root: DatasetRoot, select: SelectConfig, plans: Plans) -> Ledger:
    """Return the account of a dataset root as its files stand now."""
    with open_fates(root, select, plans) as tables:
        return _count(root, plans, tables)


def _count(root: DatasetRoot, plans: Plans, tables: duckdb.DuckDBPyConnection) -> Ledger:
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
        stages={name: _count_stage(tables, name) for name in plans},
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
    cost = tables.execute(f"SELECT coalesce(sum(waited_seconds), 0), sum(tokens) FROM {stage}").fetchone()
    waiting = tables.execute(
        "SELECT count(*) FROM fates_t2i i JOIN fates_t2v v USING (key) "
        f"WHERE (i.fate = 'pending' AND i.stage = '{stage}') OR (v.fate = 'pending' AND v.stage = '{stage}')"
    ).fetchone()
    assert waiting is not None
    assert cost is not None
    waited, tokens = cost
    return StageCount(
        ok=sum(count for status, _, count, _ in rows if status == "ok"),
        failed={reason: count for status, reason, count, _ in rows if status == "failed"},
        pending=waiting[0],
        seconds=round(sum(seconds for *_, seconds in rows), 3),
        waited_seconds=round(waited, 3),
        tokens=None if tokens is None else round(tokens),
    )


def _disagreements(
    root: DatasetRoot, tables: duckdb.DuckDBPyConnection, sets: Mapping[str, SetCount], ingested: int
) -> Iterator[str]:
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
        if manifest is not None and written and manifest.num_samples != written:
            yield f"{name}: {written} rows in its files, {manifest.num_samples} in its manifest"
        if written != each.exported:
            yield f"{name}: {written} rows in its files, {each.exported} chosen by these thresholds; export again"
    lost = number(
        "SELECT count(*) FROM fates_t2v v JOIN fates_t2i i USING (key) "
        "WHERE v.fate = 'exported' AND i.fate <> 'exported'"
    )
    if lost:
        yield f"{lost} samples are in t2v and not in t2i"

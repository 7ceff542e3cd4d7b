"""Ledger: the fates of all samples -> counts, and the proof that the sums agree."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

import duckdb
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from pipeline.config import CurateConfig
from pipeline.export.columns import T2I, TRAINING_SETS
from pipeline.fates import EXPORTED, QUARANTINED, REJECTED, open_fates
from pipeline.plan import Plans, plan_stages
from pipeline.review.adopt import adopted_digest
from pipeline.root import DatasetRoot
from pipeline.select import SelectConfig
from pipeline.state import state_digest
from pipeline.tables import list_parts
from schemas.storage import parquet_compression, write_text, written_aside


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
    tokens: float | None = None

    def __add__(self, other: "StageCount") -> "StageCount":
        counted = [each.tokens for each in (self, other) if each.tokens is not None]
        return StageCount(
            ok=self.ok + other.ok,
            failed=_sum(self.failed, other.failed),
            pending=self.pending + other.pending,
            seconds=self.seconds + other.seconds,
            waited_seconds=self.waited_seconds + other.waited_seconds,
            tokens=sum(counted) if counted else None,
        )

    def rounded(self) -> "StageCount":
        tokens = None if self.tokens is None else round(self.tokens)
        return replace(
            self, seconds=round(self.seconds, 3), waited_seconds=round(self.waited_seconds, 3), tokens=tokens
        )


@dataclass(frozen=True, slots=True)
class SetCount:
    """The fates of all samples for one training set."""

    exported: int
    rejected: dict[str, int]
    quarantined: dict[str, dict[str, int]]
    pending: int

    def __add__(self, other: "SetCount") -> "SetCount":
        stages = sorted({*self.quarantined, *other.quarantined})
        return SetCount(
            exported=self.exported + other.exported,
            rejected=_sum(self.rejected, other.rejected),
            quarantined={
                stage: _sum(self.quarantined.get(stage, {}), other.quarantined.get(stage, {})) for stage in stages
            },
            pending=self.pending + other.pending,
        )

    @property
    def total(self) -> int:
        """All fates."""
        quarantined = sum(sum(reasons.values()) for reasons in self.quarantined.values())
        return self.exported + sum(self.rejected.values()) + quarantined + self.pending


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


LEDGER = TypeAdapter(Ledger)


def write_fates(root: DatasetRoot, config: CurateConfig) -> Ledger:
    """Write the fate of every sample to fates.parquet and return the account; if nothing has changed since, only that.

    Memory: DuckDB's own, and one group of shards.
    """
    plans = plan_stages(config)
    state = _state(root, config, plans)
    known = _read_account(root, state)
    if known is not None and root.fates_path.exists():
        return known
    with ExitStack() as stack:
        fates = stack.enter_context(open_fates(root, config.select, plans))
        aside = stack.enter_context(written_aside(root.fates_path))
        count = _Counter(fates.tables, plans)
        writer: pq.ParquetWriter | None = None
        for tables in fates.groups:
            table = tables.sql("SELECT * FROM fates ORDER BY shard, position").to_arrow_table()
            if writer is None:
                compression = parquet_compression(table.schema)
                writer = stack.enter_context(pq.ParquetWriter(aside, table.schema, compression=compression))
            writer.write_table(table)
            count.add_group()
        if writer is not None:
            writer.close()
        ledger = count.finish(root)
    write_text(root.account_path, json.dumps({"state": state, "ledger": asdict(ledger)}, ensure_ascii=False) + "\n")
    return ledger


def read_ledger(root: DatasetRoot, select: SelectConfig, plans: Plans) -> Ledger:
    """Return the account of a dataset root as its files stand now, also while a run goes on."""
    with open_fates(root, select, plans) as fates:
        count = _Counter(fates.tables, plans)
        for _ in fates.groups:
            count.add_group()
        return count.finish(root)


def _state(root: DatasetRoot, config: CurateConfig, plans: Plans) -> str:
    exports = {name: export.plan if (export := root.read_export(name)) else None for name in TRAINING_SETS}
    thresholds = config.select.model_dump(mode="json")
    parts = list_parts(root, plans, plans)
    review = adopted_digest(root)
    return state_digest(root.read_manifest(), plans, parts, select=thresholds, exports=exports, review=review)


def _read_account(root: DatasetRoot, state: str) -> Ledger | None:
    """Return the account that was written in a state; None for any other, and for one that cannot be read."""
    try:
        account: Any = json.loads(root.account_path.read_bytes())
        return LEDGER.validate_python(account["ledger"]) if account["state"] == state else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


class _Counter:
    """Adds up one group of shards after the other."""

    def __init__(self, tables: duckdb.DuckDBPyConnection, plans: Plans) -> None:
        self._tables = tables
        self._sets = {name: SetCount(0, {}, {}, 0) for name in TRAINING_SETS}
        self._stages = {name: StageCount(0, {}, 0, 0.0) for name in plans}
        self._num_lost = 0

    def add_group(self) -> None:
        """Count the group whose tables are there."""
        self._sets = {name: each + _count_set(self._tables, name) for name, each in self._sets.items()}
        self._stages = {name: each + _count_stage(self._tables, name) for name, each in self._stages.items()}
        self._num_lost += _number(
            self._tables,
            "SELECT count(*) FROM fates_t2v v JOIN fates_t2i i USING (key) "
            "WHERE v.fate = 'exported' AND i.fate <> 'exported'",
        )

    def finish(self, root: DatasetRoot) -> Ledger:
        """Return the account, with a sentence for every pair of independent counts that should be equal and is not."""
        ingested = root.read_manifest().num_samples
        disagreements = list(self._disagreements(root, ingested))
        union = self._sets[T2I.name]
        return Ledger(
            ingested=ingested,
            exported={name: each.exported for name, each in self._sets.items()},
            rejected=union.rejected,
            quarantined=union.quarantined,
            pending=union.pending,
            balanced=not disagreements,
            disagreements=disagreements,
            sets=self._sets,
            stages={name: each.rounded() for name, each in self._stages.items()},
        )

    def _disagreements(self, root: DatasetRoot, ingested: int) -> Iterator[str]:
        keys = _number(self._tables, "SELECT count(DISTINCT key) FROM measured")
        if keys != ingested:
            yield f"{keys} keys in the media shards, {ingested} samples in manifest.json"
        for name, each in self._sets.items():
            if each.total != ingested:
                yield f"{name}: {each.total} fates for {ingested} ingested samples"
            manifest = root.read_export(name)
            written = _number(self._tables, f"SELECT count(*) FROM exported_keys_{name}")
            if manifest is not None and written and manifest.num_samples != written:
                yield f"{name}: {written} rows in its files, {manifest.num_samples} in its manifest"
            if written != each.exported:
                yield f"{name}: {written} rows in its files, {each.exported} chosen by these thresholds; export again"
        if self._num_lost:
            yield f"{self._num_lost} samples are in t2v and not in t2i"


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
    cost = tables.execute(f"SELECT coalesce(sum(waited_seconds), 0), sum(tokens) FROM {stage}").fetchall()
    ((waited, tokens),) = cost
    return StageCount(
        ok=sum(count for status, _, count, _ in rows if status == "ok"),
        failed={reason: count for status, reason, count, _ in rows if status == "failed"},
        pending=_number(
            tables,
            "SELECT count(*) FROM fates_t2i i JOIN fates_t2v v USING (key) "
            f"WHERE (i.fate = 'pending' AND i.stage = '{stage}') OR (v.fate = 'pending' AND v.stage = '{stage}')",
        ),
        seconds=sum(seconds for *_, seconds in rows),
        waited_seconds=waited,
        tokens=tokens,
    )


def _number(tables: duckdb.DuckDBPyConnection, query: str) -> int:
    ((number,),) = tables.execute(query).fetchall()  # all: a result left half read blocks the connection
    return int(number)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}

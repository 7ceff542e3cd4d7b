"""Chunk: one stage over some rows of some shards, from the samples that lack an answer to part files.

This is what one task does, on any engine. Memory: one row group of media, one unflushed part, and, where a stage
prepares its batches ahead, as many of them as `pipeline.ahead` says.
"""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipeline.ahead import Prepared, prepare_ahead
from pipeline.answers import (
    FAILED,
    MAX_DETAIL_CHARACTERS,
    OK,
    PartWriter,
    part_schema,
    parts_by_shard,
    read_current_answers,
)
from pipeline.blame import Failure, answer_or_blame
from pipeline.config import CurateConfig
from pipeline.decisions import read_asked
from pipeline.inputs import ShardInputs, Wanted
from pipeline.models.cache import open_model_once
from pipeline.models.usage import usage_of
from pipeline.plan import StagePlan, plan_stages
from pipeline.root import DatasetRoot
from pipeline.stages.stage import StageInput
from schemas.answers import Answer
from schemas.errors import MachineFault
from schemas.hidden import hide_secrets
from schemas.table import to_rows


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a shard: its rows from `first` to `last`, both included."""

    shard: str
    first: int
    last: int

    @property
    def rows(self) -> range:
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class ChunkCount:
    """What one chunk, or several, did; failed: by reason; tokens: written by models that count them."""

    num_ok: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    waited_seconds: float = 0.0
    tokens: float = 0.0

    @property
    def num_failed(self) -> int:
        return sum(self.failed.values())

    def __add__(self, other: "ChunkCount") -> "ChunkCount":
        return ChunkCount(
            num_ok=self.num_ok + other.num_ok,
            failed=dict(Counter(self.failed) + Counter(other.failed)) if other.failed else self.failed,
            seconds=self.seconds + other.seconds,
            waited_seconds=self.waited_seconds + other.waited_seconds,
            tokens=self.tokens + other.tokens,
        )

    def with_row(self, row: Mapping[str, Any]) -> "ChunkCount":
        """Count one more answer."""
        failed = {} if row["status"] == OK else {row["reason"]: 1}
        return self + ChunkCount(not failed, failed, row["seconds"], row["waited_seconds"], row["tokens"] or 0.0)

    def __str__(self) -> str:
        counted = f"{self.num_ok:,} answered, {self.num_failed:,} failed"
        if not self.tokens:
            return counted
        busy = 1 - self.waited_seconds / self.seconds
        return (
            f"{counted}, {self.tokens:,.0f} tokens, {self.tokens / self.seconds:,.1f} tokens/s of each worker, "
            f"models not kept waiting {busy:.0%} of the time"
        )


def answer_chunk(
    root: DatasetRoot,
    config: CurateConfig,
    *,
    stage: str,
    slices: Sequence[Slice],
    check: Callable[[], None] = lambda: None,
) -> ChunkCount:
    """Answer every asked and unanswered sample of the slices. `check` is called after each answer, and may raise.

    Raises MachineFault (nothing is marked, try again) and StageBroken (our code is to blame); whatever is raised,
    what was answered before is written.
    """
    check()
    plans = plan_stages(config)
    plan = plans[stage]
    folder = root.stage_folder(stage, plan.fingerprint)
    read = {name: parts_by_shard(root.stage_folder(name, plans[name].fingerprint)) for name in plan.stage.reads}
    wanted = Wanted(plan.stage.reads, plan.video_only_reads, plan.stage.reads_media, plan.stage.reads_cleaned_media)
    schema = part_schema(plan.stage.answer_type)
    total = ChunkCount()
    for part in slices:
        known = read_current_answers(folder, part.shard, ["key", "wants_video"])
        asked = read_asked(root, plan.stage.asked, part.shard)
        with ShardInputs(root, part.shard, wanted, read) as shard:
            pending = _Pending(plan, shard, asked, known)
            writer = PartWriter(folder, part.shard, schema, config.engine.flush, config.engine.reserve)
            total += _answer_slice(part, pending, writer, check)
    return total


@dataclass(frozen=True, slots=True)
class _Pending:
    """Which samples of one shard a stage still has to answer."""

    plan: StagePlan
    shard: ShardInputs
    asked: Mapping[str, bool] | None  # key -> is chosen for t2v; None = everybody is asked
    known: Mapping[str, Mapping[str, Any]]

    def wants_video(self, key: str) -> bool:
        """True if this stage is to look at the sample's motion too."""
        return bool(self.asked and self.asked.get(key)) and self.shard.has_video_answers(key)

    def is_pending(self, key: str) -> bool:
        if self.asked is not None and key not in self.asked:
            return False
        wants_video = self.wants_video(key)
        known = self.known.get(key)
        if known is not None and known["wants_video"] >= (wants_video and bool(self.plan.video_only_reads)):
            return False
        return self.shard.is_ready(key, wants_video=wants_video)


def _answer_slice(part: Slice, pending: _Pending, writer: PartWriter, check: Callable[[], None]) -> ChunkCount:
    count = ChunkCount()
    shard, rows = pending.shard, part.rows
    row_groups = [each for each in shard.row_groups(rows) if shard.has(each, rows, pending.is_pending)]
    try:
        for row in _answer_rows(_batches(row_groups, rows, pending), pending.plan) if row_groups else ():
            count = count.with_row(row)
            writer.add(row)
            check()
    except BaseException:
        with contextlib.suppress(MachineFault):  # such as the full disk that was raised
            writer.flush()
        raise
    writer.finish()
    return count


def _batches(row_groups: Iterable[int], rows: range, pending: _Pending) -> Iterator[Sequence[StageInput]]:
    """Read row group after row group, no others than these rows, and cut each into batches, in order."""
    size = pending.plan.batch_size
    for row_group in row_groups:
        inputs = pending.shard.read(row_group, rows, pending.is_pending, pending.wants_video)
        for first in range(0, len(inputs), size):
            yield inputs[first : first + size]


def _answer_rows(batches: Iterable[Sequence[StageInput]], plan: StagePlan) -> Iterator[dict[str, Any]]:
    """Yield one row per input, batch by batch, in order."""
    if plan.stage.prepare is None:
        for batch in batches:
            yield from _answer_batch(batch, plan, None)
        return
    prepare = partial(plan.stage.prepare, model=open_model_once(plan))
    with closing(prepare_ahead(batches, prepare)) as ahead:
        for batch, prepared in ahead:
            yield from _answer_batch(batch, plan, prepared)


def _answer_batch(
    batch: Sequence[StageInput], plan: StagePlan, prepared: Prepared[Any] | None
) -> Iterator[dict[str, Any]]:
    usage = usage_of(open_model_once(plan))
    tokens = 0 if usage is None else usage.num_tokens
    wall, processor = time.perf_counter(), time.thread_time()
    if prepared is not None:
        prepared.join()
    waited = time.perf_counter() - wall
    results = answer_or_blame(batch, plan, prepared)
    processor = time.thread_time() - processor + (0.0 if prepared is None else prepared.cpu_seconds)
    cost = {
        "seconds": round((time.perf_counter() - wall) / len(batch), 6),
        "waited_seconds": round(waited / len(batch), 6),
        "cpu_seconds": round(processor / len(batch), 6),
        "tokens": None if usage is None else (usage.num_tokens - tokens) / len(batch),
    }
    for each, result in zip(batch, results, strict=True):
        sys.audit("mobius.answered", plan.stage.name, each.sample.key)
        yield {**_row(each, result, plan=plan), **cost}


def _row(each: StageInput, result: Answer | Failure, *, plan: StagePlan) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": each.sample.key,
        "status": OK,
        "reason": None,
        "detail": None,
        "wants_video": each.wants_video and bool(plan.video_only_reads),
    }
    if isinstance(result, Failure):
        detail = hide_secrets(result.detail)[:MAX_DETAIL_CHARACTERS]
        return {**row, "status": FAILED, "reason": result.reason, "detail": detail}
    return {**row, **to_rows([result])[0]}

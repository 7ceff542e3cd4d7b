"""Chunks: a stage and what it has left to do -> at most 250 pieces of work, each a few slices of shards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.chunk import Slice
from pipeline.config import CurateConfig
from pipeline.decisions import decisions_state, read_decisions
from pipeline.engine_config import EngineConfig
from pipeline.gpus import is_numbered, num_gpu_tasks
from pipeline.plan import StagePlan, plan_stages
from pipeline.root import DatasetRoot
from pipeline.stages.stage import Asked
from pipeline.state import state_digest
from pipeline.tables import list_parts, load_groups, open_database
from schemas.storage import read_text, write_text

MAX_CHUNKS = 250  # with deciding and planning, under 256 task runs per stage
COMPLETE = "complete"  # beside the parts of a stage: the state in which nothing was left to do
CHUNKS_PER_WORKER = 8  # so that a slow chunk at the end does not leave the others idle
MIN_SLICE_SAMPLES = 8  # less is not worth a task


@dataclass(frozen=True, slots=True)
class StageWork:
    """How many samples a stage still has to answer, and in which pieces; on_gpus: each on the GPU of its number."""

    num_pending: int
    chunks: tuple[tuple[Slice, ...], ...]
    on_gpus: bool = False


def cut_chunks(root: DatasetRoot, config: CurateConfig, *, stage: str, num_workers: int) -> StageWork:
    """Find the samples a stage has not answered and cut their shards into chunks of about equal count."""
    plans = plan_stages(config)
    pending = _pending_by_shard(root, plans[stage], config)
    on_gpus = bool(pending) and is_numbered(config.engine, plans[stage])
    num_chunks = num_chunks_of(config.engine, plans[stage], num_workers=num_workers, on_gpus=on_gpus)
    size = max(MIN_SLICE_SAMPLES, -(-sum(count for _, count, *_ in pending) // num_chunks))
    slices = [part for shard, count, first, last in pending for part in _split(shard, first, last, -(-count // size))]
    return StageWork(sum(count for _, count, *_ in pending), tuple(_deal(slices, num_chunks)), on_gpus)


def num_chunks_of(engine: EngineConfig, plan: StagePlan, *, num_workers: int, on_gpus: bool) -> int:
    """How many chunks a stage is cut into at most.

    Where tasks are numbered, one per task on the GPUs, for each opens its model anew. Elsewhere a worker keeps its
    model, and there are several for each worker, or GPU of a cluster if that makes more.
    """
    at_a_time = num_gpu_tasks(engine, plan)
    if on_gpus:
        return min(MAX_CHUNKS, at_a_time)
    return min(MAX_CHUNKS, max(num_workers, at_a_time if engine.places_gpus else 0) * CHUNKS_PER_WORKER)


def _pending_by_shard(root: DatasetRoot, plan: StagePlan, config: CurateConfig) -> list[tuple[str, int, int, int]]:
    """Return shard, number of pending samples, and the positions of the first and the last of them.

    A stage that was complete in this very state is not looked at again.
    """
    plans, manifest, stage = plan_stages(config), root.read_manifest(), plan.stage
    parts = list_parts(root, plans, [*stage.reads, stage.name])
    decisions = None if stage.asked == Asked.ALL else decisions_state(root)
    state = state_digest(manifest, plans, parts, decisions=decisions)
    complete = root.stage_folder(stage.name, plan.fingerprint) / COMPLETE
    if read_text(complete, "") == state:
        return []
    pending: list[tuple[str, int, int, int]] = []
    with open_database() as tables:
        for group in load_groups(tables, root, plans, parts, sample_columns=("key", "reason"), columns={}):
            if group and stage.asked != Asked.ALL:
                tables.register("decisions", read_decisions(root, group[0].name, group[-1].name))
            pending += tables.execute(_pending_query(plan)).fetchall() if group else []
    if not pending and parts[stage.name]:
        write_text(complete, state)
    return pending


def _pending_query(plan: StagePlan) -> str:
    stage = plan.stage
    always = [name for name in stage.reads if name not in plan.video_only_reads]
    joins = [f"JOIN {name} ON {name}.key = s.key AND {name}.status = 'ok'" for name in always]
    wants = "false"
    if stage.asked != Asked.ALL:
        reason = "t2v_reason" if stage.asked == Asked.T2V else "t2i_reason"
        joins.append(f"JOIN decisions d ON d.key = s.key AND d.{reason} IS NULL")
    if plan.video_only_reads:
        joins += [f"LEFT JOIN {name} ON {name}.key = s.key" for name in plan.video_only_reads]
        answered = [f"coalesce({name}.status = 'ok', false)" for name in plan.video_only_reads]
        wants = " AND ".join(["d.t2v_reason IS NULL", *answered])
    return (
        f"SELECT s.shard, count(*), min(s.position), max(s.position) FROM samples s {' '.join(joins)} "
        f"LEFT JOIN {stage.name} a ON a.key = s.key "
        f"WHERE s.reason IS NULL AND (a.key IS NULL OR ({wants} AND NOT a.wants_video)) "
        "GROUP BY s.shard ORDER BY s.shard"
    )


def _split(shard: str, first: int, last: int, num_slices: int) -> Iterator[Slice]:
    """Split the rows `first` to `last` of a shard into slices of about equal length."""
    num_rows = last - first + 1
    for number in range(num_slices):
        begin, end = (first + num_rows * each // num_slices for each in (number, number + 1))
        if begin < end:
            yield Slice(shard, begin, end - 1)


def _deal(slices: Sequence[Slice], num_chunks: int) -> Iterator[tuple[Slice, ...]]:
    """Put neighbouring slices together so that there are at most `num_chunks` chunks."""
    num_chunks = min(num_chunks, len(slices))
    for number in range(num_chunks):
        yield tuple(slices[len(slices) * number // num_chunks : len(slices) * (number + 1) // num_chunks])

"""Tasks: what Prefect schedules. Arguments and results are names and counts, never pixels or tables."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from logging import WARNING
from typing import Any, ParamSpec, TypeVar

import httpx
from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from flows.chunk_log import ChunkDone, logged
from flows.engines import gpu_of_task
from flows.gpu_limit import gpu_slot, limit_of
from flows.log import log_event, sentence_of
from flows.secret_blocks import provide_secrets
from pipeline.chunk import ChunkCount, Slice, answer_chunk
from pipeline.chunks import StageWork, cut_chunks
from pipeline.config import CurateConfig
from pipeline.decisions import DecisionCount, write_decisions
from pipeline.export.columns import TRAINING_SETS
from pipeline.export.finish import find_work, finish_export
from pipeline.export.plan import ExportPlan, ShardRange
from pipeline.export.write import write_range
from pipeline.gpus import use_gpu
from pipeline.ingest import ingest_source
from pipeline.ledger import Ledger, write_fates
from pipeline.models.cache import close_model, closing_when_idle
from pipeline.models.gpu_number import choose_gpu
from pipeline.review.adopt import adopt_review
from pipeline.root import DatasetRoot
from pipeline.stop_sign import StopSign
from pipeline.threads import use_one_thread_per_worker
from schemas.errors import MachineFault
from schemas.hidden import hides_secrets
from schemas.manifest import ExportManifest

FAULTS_OF_THE_MACHINE = (MachineFault, OSError, httpx.TransportError)  # a timeout and an unreachable server included

P = ParamSpec("P")
R = TypeVar("R")


def is_worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Retry what the machine did; all else would only fail again."""
    try:
        state.result()
    except FAULTS_OF_THE_MACHINE as error:
        log_event("retry", level=WARNING, task=run.name, attempt=run.run_count + 1, reason=sentence_of(error))
        return True
    except Exception:
        return False
    return False


def curate_task(function: Callable[P, R]) -> Task[P, R]:
    """Make a task of a function; what it raises is kept and shown by Prefect, and tells no secret."""
    make = task(
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=2,
        retry_delay_seconds=[5, 30],
        retry_condition_fn=is_worth_retrying,
    )
    return make(hides_secrets(function))


@curate_task
def ingest(config: CurateConfig, follow: Callable[[int], None]) -> int:
    """Append what the source has and the dataset has not; `follow` is told how many samples there are by now."""
    return ingest_source(
        DatasetRoot(config.root_path),
        config.source,
        config=config.ingest,
        follow=follow,
        reserve=config.engine.reserve,
    )


@curate_task
def adopt(config: CurateConfig) -> None:
    """Take over what people have decided by now; what they say during the run counts in the next."""
    adopt_review(DatasetRoot(config.root_path))


@curate_task
def decide(config: CurateConfig) -> DecisionCount:
    """Decide about every sample that is measured by now."""
    return write_decisions(DatasetRoot(config.root_path), config)


@curate_task
def cut(config: CurateConfig, stage: str) -> StageWork:
    """Find what a stage has left to do."""
    return cut_chunks(DatasetRoot(config.root_path), config, stage=stage, num_workers=config.engine.workers)


@curate_task
def answer(config: CurateConfig, stage: str, slices: Sequence[Slice], run: str, number: int | None = None) -> ChunkDone:
    """Run one stage over one chunk.

    run: the run whose stop sign is heeded; number: which chunk it is, where each takes the GPU of its number.
    """
    provide_secrets(config, stage)
    use_one_thread_per_worker()
    gpu = gpu_of_task(config, number)
    if gpu is None:
        choose_gpu(None)
    else:
        use_gpu(gpu, config.stage_config(stage))
    root = DatasetRoot(config.root_path)
    check = StopSign(root, run).check
    slot = gpu_slot(limit_of(config, stage), check)
    keeping = closing_when_idle() if config.engine.name in ("dask", "ray") else nullcontext()
    with logged(config, stage, run) as sign, slot, keeping:
        try:
            return sign(answer_chunk(root, config, stage=stage, slices=slices, check=check))
        finally:
            if number is not None:
                close_model()  # the next stage's task may go to another worker, and its model needs the room


@curate_task
def plan(config: CurateConfig, name: str) -> ExportPlan | None:
    """Plan the export of one set; None if it is in place already."""
    return find_work(DatasetRoot(config.root_path), config, TRAINING_SETS[name])


@curate_task
def write(
    config: CurateConfig, name: str, digest: str, ranges: Sequence[ShardRange], threads: int, run: str
) -> ChunkDone:
    """Write some ranges of one set; run: the run whose stop sign is heeded."""
    use_one_thread_per_worker()
    dataset, training_set = DatasetRoot(config.root_path), TRAINING_SETS[name]
    check = StopSign(dataset, run).check
    with logged(config, f"export {name}", run) as sign:
        num_samples = sum(
            write_range(
                dataset,
                config,
                training_set=training_set,
                digest=digest,
                shards=each,
                num_threads=threads,
                check=check,
            )
            for each in ranges
        )
        return sign(ChunkCount(num_samples))


@curate_task
def finish(config: CurateConfig, name: str, planned: ExportPlan, run: str) -> ExportManifest:
    """Put a finished set in its place; run: the run whose stop sign is heeded."""
    dataset = DatasetRoot(config.root_path)
    check = StopSign(dataset, run).check
    return finish_export(dataset, config, training_set=TRAINING_SETS[name], plan=planned, check=check)


@curate_task
def account(config: CurateConfig) -> Ledger:
    """Write every sample's fate and add them up."""
    return write_fates(DatasetRoot(config.root_path), config)

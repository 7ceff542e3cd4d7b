"""The curate flow: source -> stages -> selection -> training sets -> account. The body is the table of contents."""

from collections.abc import Callable, Sequence
from typing import Any

from prefect import Task, flow
from prefect.futures import PrefectFuture, wait
from prefect.logging import get_run_logger

from flows.artifacts import publish_account
from flows.engines import open_engine
from flows.lock import sole_run
from flows.progress import StageBars, stage_bars
from flows.runs import RunRecord
from flows.tasks import account, answer, cut, decide, finish, ingest, plan, write
from pipeline.answers import count_rows
from pipeline.chunk import ChunkCount
from pipeline.config import CurateConfig
from pipeline.doctor import MODEL_STAGES, require_models
from pipeline.export.columns import TRAINING_SETS
from pipeline.export.finish import remove_replaced
from pipeline.ledger import Ledger
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES
from schemas.errors import UnbalancedLedger
from schemas.storage import remove_unfinished

SECONDS_BETWEEN_LOOKS = 1.0
MAX_WRITERS = 250  # task runs per training set


def run_curate(config: CurateConfig) -> Ledger:
    """Run the flow on the configured engine, alone on its root, and keep a record of the run.

    Raises UserError if a model that is needed is not ready, UnbalancedLedger if some sample has no fate, or two.
    """
    root = DatasetRoot(config.root_path)
    with sole_run(root):
        remove_unfinished(root.path)
        for training_set in TRAINING_SETS.values():
            remove_replaced(root, training_set)
        record = RunRecord(root, config)
        record.write("running")
        try:
            ledger: Ledger = curate.with_options(task_runner=open_engine(config.engine))(config)
            check_account(ledger)
        except BaseException as error:
            record.write("failed", error=error)
            raise
        record.write("done", ledger)
    return ledger


def check_account(ledger: Ledger) -> None:
    """Raise UnbalancedLedger unless the sums agree and nothing is left to do in either set."""
    said = list(ledger.disagreements)
    said += [f"{name}: {each.pending} samples are pending" for name, each in ledger.sets.items() if each.pending]
    if said:
        raise UnbalancedLedger(f"the account does not add up: {'; '.join(said)}")


@flow(name="curate", flow_run_name="curate {config.root}", persist_result=False)
def curate(config: CurateConfig) -> Ledger:
    """Curate one source into the dataset root of the config; what is there already is not done again."""
    with stage_bars() as bars:
        run_ingest(config, bars)
        for stage in plan_stages(config):
            run_stage(config, stage, bars)
            if stage in MEASURES:
                decide.submit(config).result()
        for name in TRAINING_SETS:
            run_export(config, name, bars)
        ledger = account.submit(config).result()
        publish_account(config, ledger)
        return ledger


def run_ingest(config: CurateConfig, bars: StageBars) -> None:
    """Ingest in one task: reading is bound by the disk."""
    root = DatasetRoot(config.root_path)
    move = bars.follow("ingest", None)
    follow([ingest.submit(config)], lambda done: move(root.read_manifest().num_samples))
    total = root.read_manifest().num_samples
    move(total, total=total)


def run_stage(config: CurateConfig, stage: str, bars: StageBars) -> None:
    """Run one stage over all its chunks, then ask again what is left: it must be nothing, whatever was retried."""
    folder = DatasetRoot(config.root_path).stage_folder(stage, plan_stages(config)[stage].fingerprint)
    work = cut.submit(config, stage).result()
    if work.num_pending and stage in MODEL_STAGES:
        require_models(config, [stage])
    before = count_rows(folder)
    move = bars.follow(stage, work.num_pending)
    chunks = [
        named(answer, f"answer {stage} {number + 1}/{len(work.chunks)}", config).submit(
            config, stage, slices, number if work.on_gpus else None
        )
        for number, slices in enumerate(work.chunks)
    ]
    follow(chunks, lambda done: move(count_rows(folder) - before))
    done = sum((chunk.result() for chunk in chunks), ChunkCount())
    get_run_logger().info("%s: %s samples in %s chunks", stage, work.num_pending, len(chunks))
    if done.tokens:
        bars.say(f"{stage}: {done}")
    left = cut.submit(config, stage).result().num_pending if chunks else 0
    if left:
        raise UnbalancedLedger(
            f"stage {stage}: {left} of {work.num_pending} samples have no answer after all its tasks"
        )


def run_export(config: CurateConfig, name: str, bars: StageBars) -> None:
    """Write one training set unless it is in place already."""
    planned = plan.submit(config, name).result()
    if planned is None:
        return
    per_writer = -(-len(planned.ranges) // MAX_WRITERS)
    shares = [planned.ranges[i : i + per_writer] for i in range(0, len(planned.ranges), max(per_writer, 1))]
    threads = max(1, config.engine.workers // max(len(shares), 1))
    move = bars.follow(f"export {name}", planned.num_samples)
    writers = [
        named(write, f"write {name} {number}/{len(shares)}", config).submit(
            config, name, planned.digest, share, threads
        )
        for number, share in enumerate(shares, start=1)
    ]
    follow(writers, lambda done: move(sum(future.result() for future in done)))
    finish.submit(config, name, planned).result()
    move(planned.num_samples)


def named(work: Task[..., Any], name: str, config: CurateConfig) -> Task[..., Any]:
    """Return a task whose runs are called so on Prefect's page, and end when the config's time is over."""
    return work.with_options(task_run_name=name, timeout_seconds=config.engine.timeout)


def follow(futures: Sequence[PrefectFuture[Any]], look: Callable[[list[PrefectFuture[Any]]], None]) -> None:
    """Wait for all futures, looking at those done now and then; raise what the first failed one raised."""
    waiting = list(futures)
    while waiting:
        waiting = list(wait(waiting, timeout=SECONDS_BETWEEN_LOOKS).not_done)
        done = [future for future in futures if future not in waiting]
        for future in done:
            future.wait()  # takes the final state along; `state` alone would ask the server for it
        look([future for future in done if future.state.is_completed()])
    for future in futures:
        future.result()

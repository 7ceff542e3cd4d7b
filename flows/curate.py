"""The curate flow: source -> stages -> selection -> training sets -> account. The body is the table of contents."""

from collections.abc import Callable, Sequence
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture, wait

from flows.engines import open_engine
from flows.lock import sole_run
from flows.progress import StageBars, stage_bars
from flows.runs import RunRecord
from flows.tasks import account, answer, cut, decide, finish, ingest, plan, write
from pipeline.answers import count_rows
from pipeline.chunk import ChunkCount
from pipeline.config import CurateConfig
from pipeline.export.columns import TRAINING_SETS
from pipeline.ledger import Ledger
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES
from pipeline.storage import remove_unfinished
from schemas.errors import UnbalancedLedger

SECONDS_BETWEEN_LOOKS = 0.5
MAX_WRITERS = 250  # task runs per training set


def run_curate(config: CurateConfig) -> Ledger:
    """Run the flow on the configured engine, alone on its root, and keep a record of the run.

    Raises UnbalancedLedger if some sample has no fate, or two.
    """
    root = DatasetRoot(config.root_path)
    with sole_run(root):
        remove_unfinished(root.path)
        record = RunRecord(root, config)
        record.write("running")
        try:
            ledger: Ledger = curate.with_options(task_runner=open_engine(config.engine))(config)
        except BaseException as error:
            record.write("failed", error=error)
            raise
        record.write("done", ledger)
    if not ledger.balanced or ledger.pending:
        said = "; ".join(ledger.disagreements) or f"{ledger.pending} samples are still pending"
        raise UnbalancedLedger(f"{config.root}: the account does not add up: {said}")
    return ledger


@flow(name="curate", persist_result=False)
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
        return account.submit(config).result()


def run_ingest(config: CurateConfig, bars: StageBars) -> None:
    """Ingest in one task: reading is bound by the disk."""
    root = DatasetRoot(config.root_path)
    move = bars.follow("ingest", None)
    follow([ingest.submit(config)], lambda: move(root.read_manifest().num_samples))
    total = root.read_manifest().num_samples
    move(total, total=total)


def run_stage(config: CurateConfig, stage: str, bars: StageBars) -> ChunkCount:
    """Run one stage over all its chunks."""
    folder = DatasetRoot(config.root_path).stage_folder(stage, plan_stages(config)[stage].fingerprint)
    work = cut.submit(config, stage).result()
    before = count_rows(folder)
    move = bars.follow(stage, work.num_pending)
    chunks = [answer.submit(config, stage, slices) for slices in work.chunks]
    count = sum(follow(chunks, lambda: move(count_rows(folder) - before)), ChunkCount())
    if count.num_ok + count.num_failed != work.num_pending:
        found = f"{count.num_ok} answered + {count.num_failed} failed"
        raise UnbalancedLedger(f"stage {stage}: {found}, {work.num_pending} were pending")
    return count


def run_export(config: CurateConfig, name: str, bars: StageBars) -> None:
    """Write one training set unless it is in place already."""
    planned = plan.submit(config, name).result()
    if planned is None:
        return
    per_writer = -(-len(planned.ranges) // MAX_WRITERS)
    shares = [planned.ranges[i : i + per_writer] for i in range(0, len(planned.ranges), max(per_writer, 1))]
    threads = max(1, config.engine.workers // max(len(shares), 1))
    move = bars.follow(f"export {name}", planned.num_samples)
    writers = [write.submit(config, name, planned.digest, share, threads) for share in shares]
    follow(writers, lambda: None)
    finish.submit(config, name, planned).result()
    move(planned.num_samples)


def follow(futures: Sequence[PrefectFuture[Any]], look: Callable[[], None]) -> list[Any]:
    """Wait for all futures, looking at the progress now and then; raise what the first failed one raised."""
    waiting = list(futures)
    while waiting:
        waiting = list(wait(waiting, timeout=SECONDS_BETWEEN_LOOKS).not_done)
        look()
    return [future.result() for future in futures]

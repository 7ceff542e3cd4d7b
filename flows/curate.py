"""The curate flow: source -> stages -> selection -> training sets -> account. The body is the table of contents.

Bookkeeping (ingest, cutting work, deciding, planning, accounting) happens in the flow's own process, which holds the
lock of the root; only what takes long, answering and writing exports, is submitted to the engine.
"""

from typing import Any

import httpx
from prefect import Task, flow
from prefect.logging import get_run_logger

from flows.artifacts import publish_account
from flows.engines import open_engine, with_resources
from flows.follow import follow
from flows.lock import sole_run
from flows.log import use_log
from flows.metrics import served
from flows.progress import StageBars, stage_bars
from flows.running import CurateRun, as_current, current_run, recorded
from flows.runs import RunRecord, stop_orphans
from flows.stopping import Stopping, stop_on_signals
from flows.tasks import account, adopt, answer, cut, decide, finish, ingest, plan, write
from flows.watch import RunWatch
from pipeline.answers import measure_parts
from pipeline.config import CurateConfig
from pipeline.doctor import MODEL_STAGES, require_models
from pipeline.export.columns import TRAINING_SETS
from pipeline.export.place import remove_replaced
from pipeline.ledger import Ledger
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES
from pipeline.stop_sign import StopSign
from schemas.errors import MachineFault, Stopped, UnbalancedLedger
from schemas.hidden import hides_secrets
from schemas.storage import remove_unfinished

MAX_WRITERS = 250  # task runs per training set
SERVER_IS_GONE = "Prefect's server is gone"


def run_curate(config: CurateConfig) -> Ledger:
    """Run the flow on the configured engine, alone on its root, and keep a record of the run.

    Raises UserError if a model that is needed is not ready, UnbalancedLedger if some sample has no fate, or two;
    Stopped if somebody asked the run to stop.
    """
    root = DatasetRoot(config.root_path)
    record = RunRecord(root, config)
    use_log(config.log, record.identity)
    run = CurateRun(record, Stopping(StopSign(root, record.identity)), RunWatch(config))
    with (
        run.stopping.until_rest(),
        stop_on_signals(run.stopping),
        sole_run(root, on_lost=lambda why: run.stopping.ask(Stopped(why))),
    ):
        remove_unfinished(root.path, besides=root.review)  # there people may be writing
        stop_orphans(root)
        for training_set in TRAINING_SETS.values():
            remove_replaced(root, training_set)
        with served(run.watch.metrics, config.metrics), recorded(run):
            ledger = call_flow(config, run)
            check_account(ledger)
    return ledger


def call_flow(config: CurateConfig, run: CurateRun) -> Ledger:
    """Call the flow. A server that goes away while it runs is no reason to fail: only Prefect's own page suffers."""
    try:
        with as_current(run), open_engine(config) as task_runner:
            curate.with_options(task_runner=task_runner)(config)
    except httpx.HTTPError as error:
        if not is_gone(error):
            raise
        if run.ledger is None:
            run.stopping.check()
            raise MachineFault(f"{SERVER_IS_GONE}: {error}; run the same command again to go on") from error
        run.record.note(f"{SERVER_IS_GONE}: its page will show this run as running")
    assert run.ledger is not None, "a flow that returns has written its account"
    return run.ledger


def is_gone(error: httpx.HTTPError) -> bool:
    """True if nobody answers, or who answers cannot do its work, such as with a full disk under its database."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)


def check_account(ledger: Ledger) -> None:
    """Raise UnbalancedLedger unless the sums agree and nothing is left to do in either set."""
    said = list(ledger.disagreements)
    said += [f"{name}: {each.pending} samples are pending" for name, each in ledger.sets.items() if each.pending]
    if said:
        raise UnbalancedLedger(f"the account does not add up: {'; '.join(said)}")


@flow(name="curate", flow_run_name="curate {config.root}", persist_result=False)
@hides_secrets
def curate(config: CurateConfig) -> None:
    """Curate one source into the dataset root of the config; what is there already is not done again."""
    run = current_run()
    are_shown = config.log.format == "bars"
    with stop_on_signals(run.stopping), stage_bars(are_shown=are_shown) as bars:  # Prefect has put its handler between
        run_ingest(config, run, bars)
        adopt(config)
        for stage in plan_stages(config):
            run_stage(config, stage, run, bars)
            if stage in MEASURES:
                decide(config)
        for name in TRAINING_SETS:
            run_export(config, name, run, bars)
        run.ledger = account(config)
        publish_account(config, run.ledger)


def run_ingest(config: CurateConfig, run: CurateRun, bars: StageBars) -> None:
    """Ingest in this process: reading is bound by the disk, and only one may write the manifest."""
    root = DatasetRoot(config.root_path)
    with run.watch.stage("ingest", None, bars, before=root.read_manifest().num_samples) as move:

        def follow_samples(num_samples: int) -> None:
            run.stopping.check()
            move(num_samples)

        ingest(config, follow_samples)
        manifest = root.read_manifest()
        written = sum(shard.size_bytes for shard in manifest.shards)
        move(manifest.num_samples, total=manifest.num_samples, size_bytes=written)


def run_stage(config: CurateConfig, stage: str, run: CurateRun, bars: StageBars) -> None:
    """Run one stage over all its chunks, then ask again what is left: it must be nothing, whatever was retried."""
    run.stopping.check()
    folder = DatasetRoot(config.root_path).stage_folder(stage, plan_stages(config)[stage].fingerprint)
    work = cut(config, stage)
    if work.num_pending and stage in MODEL_STAGES:
        require_models(config, [stage])
    before = measure_parts(folder)
    with run.watch.stage(stage, work.num_pending, bars) as move:
        move(0, size_bytes=before.size_bytes)
        with with_resources(config, stage):
            chunks = [
                named(answer, f"answer {stage} {number + 1}/{len(work.chunks)}", config).submit(
                    config, stage, slices, run.record.identity, number if work.on_gpus else None
                )
                for number, slices in enumerate(work.chunks)
            ]

        def look() -> None:
            now = measure_parts(folder)
            move(now.num_rows - before.num_rows, size_bytes=now.size_bytes)

        done = follow(stage, chunks, run, look)
        left = cut(config, stage).num_pending if chunks else 0
    get_run_logger().info("%s: %s samples in %s chunks", stage, work.num_pending, len(chunks))
    if done.tokens:
        bars.say(f"{stage}: {done}")
    if left:
        raise UnbalancedLedger(
            f"stage {stage}: {left} of {work.num_pending} samples have no answer after all its tasks"
        )


def run_export(config: CurateConfig, name: str, run: CurateRun, bars: StageBars) -> None:
    """Write one training set unless it is in place already."""
    run.stopping.check()
    planned = plan(config, name)
    if planned is None:
        return
    per_writer = -(-len(planned.ranges) // MAX_WRITERS)
    shares = [planned.ranges[i : i + per_writer] for i in range(0, len(planned.ranges), max(per_writer, 1))]
    threads = max(1, config.engine.workers // max(len(shares), 1))
    stage = f"export {name}"
    with run.watch.stage(stage, planned.num_samples, bars) as move:
        with with_resources(config, "export"):
            writers = [
                named(write, f"write {name} {number}/{len(shares)}", config).submit(
                    config, name, planned.digest, share, threads, run.record.identity
                )
                for number, share in enumerate(shares, start=1)
            ]
        follow(stage, writers, run, lambda: None, lambda done: move(done.num_ok))
        written = finish(config, name, planned, run.record.identity)
        move(planned.num_samples, size_bytes=sum(file.size_bytes for file in written.files))


def named(work: Task[..., Any], name: str, config: CurateConfig) -> Task[..., Any]:
    """Return a task whose runs are called so on Prefect's page, and end when the config's time is over."""
    return work.with_options(task_run_name=name, timeout_seconds=config.engine.timeout)

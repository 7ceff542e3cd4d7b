"""The same stages over the same chunks in a plain loop over a process pool: what the flow is measured against."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from flows.load import load_config
from pipeline.chunk import answer_chunk
from pipeline.chunks import cut_chunks
from pipeline.config import CurateConfig
from pipeline.decisions import write_decisions
from pipeline.export.columns import TRAINING_SETS
from pipeline.export.finish import finish_export
from pipeline.export.plan import plan_export
from pipeline.export.write import write_range
from pipeline.ingest import ingest_source
from pipeline.ledger import write_fates
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES
from pipeline.threads import use_one_thread_per_worker


def main() -> None:
    config = load_config(Path(sys.argv[1]), sys.argv[2:])
    root = DatasetRoot(config.root_path)
    workers = config.engine.workers
    spawn = get_context("spawn")
    ingest_source(root, config.source, config=config.ingest)
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=use_one_thread_per_worker) as pool:
        for stage in plan_stages(config):
            work = cut_chunks(root, config, stage=stage, num_workers=workers)
            futures = [pool.submit(answer_chunk, root, config, stage=stage, slices=each) for each in work.chunks]
            for future in futures:
                future.result()
            if stage in MEASURES:
                write_decisions(root, config)
        export(root, config, pool)
    write_fates(root, config)


def export(root: DatasetRoot, config: CurateConfig, pool: ProcessPoolExecutor) -> None:
    for training_set in TRAINING_SETS.values():
        plan = plan_export(root, config, training_set)
        threads = max(1, config.engine.workers // max(len(plan.ranges), 1))
        futures = [
            pool.submit(
                write_range,
                root,
                config,
                training_set=training_set,
                digest=plan.digest,
                shards=each,
                num_threads=threads,
            )
            for each in plan.ranges
        ]
        for future in futures:
            future.result()
        finish_export(root, config, training_set=training_set, plan=plan)


if __name__ == "__main__":
    main()

"""Write one range of an export: complete samples in order -> Parquet files cut by bytes."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from pipeline.answers import Parts, parts_by_shard
from pipeline.config import CurateConfig
from pipeline.export.columns import TrainingSet
from pipeline.export.plan import ShardRange, aside_folder, content_config, stage_fingerprints
from pipeline.export.rows import Chosen, export_row
from pipeline.inputs import ShardInputs, Wanted
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.stages.stage import StageInput
from schemas.location import Location
from schemas.manifest import ExportFile
from schemas.storage import file_sha256, leaf_columns, read_parquet, size_of, write_text, written_aside

FILES = TypeAdapter(list[ExportFile])
Row = dict[str, Any]


def write_range(
    root: DatasetRoot,
    config: CurateConfig,
    *,
    training_set: TrainingSet,
    digest: str,
    shards: ShardRange,
    num_threads: int = 1,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Write the files of one range aside and return how many samples they hold; a finished range is left alone.

    `check` is called for each sample, and may raise; then the files that are whole stay.
    """
    folder = aside_folder(root, training_set, digest)
    done = folder / f"{shards.number:05d}.json"
    if done.exists():
        written = FILES.validate_json(done.read_bytes())
        if all(size_of(folder / file.name) == file.size_bytes for file in written):
            return sum(file.num_samples for file in written)
    rows = _checked(_rows(root, config, training_set, shards, num_threads), check)
    schema = training_set.schema(_metadata(config, training_set, digest))
    prefix = folder / f"{shards.number:05d}"
    files = list(_write_files(prefix, rows, schema, training_set=training_set, config=config))
    write_text(done, FILES.dump_json(files, indent=1).decode() + "\n")
    return sum(file.num_samples for file in files)


def _checked(rows: Iterable[Row], check: Callable[[], None]) -> Iterator[Row]:
    for row in rows:
        check()
        yield row


def _metadata(config: CurateConfig, training_set: TrainingSet, digest: str) -> dict[str, str]:
    return {
        "mobius.plan": digest,
        "mobius.config": json.dumps(content_config(config), sort_keys=True),
        "mobius.fingerprints": json.dumps(stage_fingerprints(config, training_set), sort_keys=True),
    }


def _rows(
    root: DatasetRoot, config: CurateConfig, training_set: TrainingSet, shards: ShardRange, num_threads: int
) -> Iterator[Row]:
    """Yield rows in the order of the samples; pictures are encoded ahead by threads, a bounded number of them."""
    fingerprints = json.dumps(stage_fingerprints(config, training_set), sort_keys=True)

    def encode(each: StageInput, chosen: Chosen) -> Row:
        return export_row(each, chosen=chosen, training_set=training_set, fingerprints=fingerprints)

    with ThreadPoolExecutor(num_threads) as pool:
        waiting: deque[Future[Row]] = deque()
        for each, chosen in _complete_samples(root, config, training_set, shards):
            waiting.append(pool.submit(encode, each, chosen))
            if len(waiting) > 2 * num_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _complete_samples(
    root: DatasetRoot, config: CurateConfig, training_set: TrainingSet, shards: ShardRange
) -> Iterator[tuple[StageInput, Chosen]]:
    plans = plan_stages(config)
    is_video = bool(training_set.own)
    video_only = plans["translation"].video_only_reads
    wanted = Wanted(training_set.stages, video_only, cleaned_media=True)
    parts: dict[str, Parts] = {
        name: parts_by_shard(root.stage_folder(name, plans[name].fingerprint)) for name in training_set.stages
    }
    for shard in _shards_between(root, shards):
        chosen = _read_chosen(root, shard, training_set)
        if not chosen:
            continue
        with ShardInputs(root, shard, wanted, parts) as inputs:

            def is_complete(key: str, chosen: Mapping[str, Any] = chosen, inputs: ShardInputs = inputs) -> bool:
                return key in chosen and inputs.is_ready(key, wants_video=is_video)

            for each in inputs.read_all(is_complete, lambda key: is_video):
                yield each, chosen[each.sample.key]


def _shards_between(root: DatasetRoot, shards: ShardRange) -> Iterator[str]:
    return (each.name for each in root.read_manifest().shards if shards.first <= each.name <= shards.last)


def _read_chosen(root: DatasetRoot, shard: str, training_set: TrainingSet) -> dict[str, Chosen]:
    reason = f"{training_set.name}_reason"
    columns = ["key", "labels", "captions", reason]
    rows = read_parquet(root.decisions_path, columns, filters=[("shard", "=", shard)]).to_pylist()
    return {row["key"]: Chosen(row["labels"], row["captions"] or ()) for row in rows if row[reason] is None}


def _write_files(
    prefix: Location, rows: Iterable[Row], schema: pa.Schema, *, training_set: TrainingSet, config: CurateConfig
) -> Iterator[ExportFile]:
    """Start a new file whenever the last one is full."""
    groups = _row_groups(rows, training_set.picture, config.export.row_group_bytes)
    group = next(groups, None)
    number = 0
    while group is not None:
        path = prefix.with_name(f"{prefix.name}-{number:02d}.parquet")
        num_samples = written = 0
        with written_aside(path) as aside, _open_writer(aside, schema, training_set) as writer:
            while group is not None and written < config.export.file_bytes:
                group_bytes = sum(len(row[training_set.picture]["bytes"]) for row in group)
                config.engine.reserve.require(path, group_bytes)
                writer.write_table(pa.Table.from_pylist(group, schema))
                num_samples += len(group)
                written += group_bytes
                group = next(groups, None)
            writer.close()
            size_bytes, sha256 = aside.stat().st_size, file_sha256(aside)
        yield ExportFile(name=path.name, num_samples=num_samples, size_bytes=size_bytes, sha256=sha256)
        number += 1


def _open_writer(path: Path, schema: pa.Schema, training_set: TrainingSet) -> pq.ParquetWriter:
    media = f"{training_set.picture}.bytes"
    columns = leaf_columns(schema)
    return pq.ParquetWriter(
        path,
        schema,
        compression={name: "NONE" if name == media else "ZSTD" for name in columns},
        use_dictionary=[name for name in columns if name not in (media, "key")],
        write_statistics=[name for name in columns if name != media],
        write_page_index=True,
    )


def _row_groups(rows: Iterable[Row], picture: str, row_group_bytes: int) -> Iterator[list[Row]]:
    group: list[Row] = []
    size_bytes = 0
    for row in rows:
        group.append(row)
        size_bytes += len(row[picture]["bytes"])
        if size_bytes >= row_group_bytes:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group

"""Ingest: samples of a source -> appended media shards, each input written exactly once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipeline.root import DatasetRoot
from pipeline.sources import SourceConfig, open_source
from pipeline.sources.limits import within_limits
from schemas.config import StrictConfig
from schemas.location import Location
from schemas.manifest import DatasetManifest, Shard
from schemas.room import ReserveConfig
from schemas.sample import KEY_HEX_DIGITS, Sample
from schemas.storage import read_parquet, size_of, written_aside
from schemas.table import arrow_schema, to_rows


class IngestConfig(StrictConfig):
    """How the media shards are cut; a shard is frozen once written."""

    max_shard_bytes: int = Field(256 << 20, ge=1 << 20)  # encoded media per file
    max_shard_samples: int = Field(8192, ge=1)  # rows per file
    max_row_group_bytes: int = Field(8 << 20, ge=1 << 16)  # encoded media read at once
    max_row_group_samples: int = Field(64, ge=1)  # rows read at once


class KnownKeys:
    """The keys that are ingested already, as one sorted array: 32 bytes each."""

    def __init__(self, keys: Iterable[pa.Array]) -> None:
        arrays = [
            np.asarray(chunk.cast(pa.binary()).to_numpy(zero_copy_only=False), f"S{KEY_HEX_DIGITS}") for chunk in keys
        ]
        self._keys = np.sort(np.concatenate(arrays)) if arrays else np.empty(0, f"S{KEY_HEX_DIGITS}")

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        assert isinstance(key, str)
        wanted = key.encode()
        place = int(np.searchsorted(self._keys, np.bytes_(wanted)))
        return place < len(self._keys) and self._keys[place] == wanted


def ingest_source(
    root: DatasetRoot,
    source: SourceConfig,
    *,
    config: IngestConfig,
    follow: Callable[[int], None] = lambda num_samples: None,
    reserve: ReserveConfig | None = None,
) -> int:
    """Append the samples that the dataset does not have yet; return how many. Memory: one row group.

    A source that looks as it did when it was last read to its end is not read again.
    `follow` is told after each row group how many samples the dataset has by then, and may raise; then the shards that
    are whole stay. Raises NoRoom rather than leave less free than the reserve.
    """
    manifest = root.read_manifest()
    known_state = manifest.source_states.get(source.name)
    opened = open_source(source, known_state=known_state)
    state = opened.state()  # before it is read: what is added meanwhile changes it
    if state is not None and state == known_state:
        return 0
    if opened.name not in manifest.sources:
        manifest = manifest.model_copy(update={"sources": [*manifest.sources, opened.name]})
    known = KnownKeys(_ingested_keys(root, manifest))
    num_new = 0
    keep_free = ReserveConfig() if reserve is None else reserve
    samples = within_limits(opened.samples(known), source)
    groups = _followed(_row_groups(samples, config), manifest.num_samples, follow)
    for shard in _write_shards(root, groups, len(manifest.shards), config, keep_free):
        manifest = manifest.model_copy(update={"shards": [*manifest.shards, shard]})
        root.write_manifest(manifest)
        num_new += shard.num_samples
    states = {name: each for name, each in manifest.source_states.items() if name != opened.name}
    root.write_manifest(
        manifest.model_copy(update={"source_states": states if state is None else states | {opened.name: state}})
    )
    return num_new


def _ingested_keys(root: DatasetRoot, manifest: DatasetManifest) -> Iterator[pa.Array]:
    for shard in manifest.shards:
        yield from read_parquet(root.shard_path(shard.name), ["key"])["key"].chunks


def _write_shards(
    root: DatasetRoot, groups: Iterator[list[Sample]], first_shard: int, config: IngestConfig, reserve: ReserveConfig
) -> Iterator[Shard]:
    group = next(groups, None)
    number = first_shard
    while group is not None:
        name = f"{number:05d}"
        path = root.shard_path(name)
        num_samples = num_groups = size_bytes = 0
        with ExitStack() as stack:
            writer = _open_shard_writer(stack, path)
            while group is not None and (num_groups == 0 or _fits(group, num_samples, size_bytes, config)):
                reserve.require(path, _media_bytes(group))
                writer.write_table(pa.Table.from_pylist(to_rows(group), arrow_schema(Sample)))
                num_samples += len(group)
                num_groups += 1
                size_bytes += _media_bytes(group)
                group = next(groups, None)
            writer.close()
        written = size_of(path) or 0
        yield Shard(name=name, num_samples=num_samples, num_row_groups=num_groups, size_bytes=written)
        number += 1


def _open_shard_writer(stack: ExitStack, path: Location) -> pq.ParquetWriter:
    schema = arrow_schema(Sample)
    compression = {column: "NONE" if column == "media" else "ZSTD" for column in schema.names}
    return pq.ParquetWriter(
        stack.enter_context(written_aside(path)),
        schema,
        compression=compression,
        use_dictionary=["source", "label"],
        write_statistics=["key"],
    )


def _row_groups(samples: Iterable[Sample], config: IngestConfig) -> Iterator[list[Sample]]:
    group: list[Sample] = []
    size_bytes = 0
    for sample in samples:
        size = len(sample.media or b"")
        is_full = len(group) >= config.max_row_group_samples or size_bytes + size > config.max_row_group_bytes
        if group and is_full:
            yield group
            group, size_bytes = [], 0
        group.append(sample)
        size_bytes += size
    if group:
        yield group


def _followed(groups: Iterable[list[Sample]], num_before: int, follow: Callable[[int], None]) -> Iterator[list[Sample]]:
    num_samples = num_before
    for group in groups:
        yield group
        num_samples += len(group)
        follow(num_samples)


def _fits(group: list[Sample], num_samples: int, size_bytes: int, config: IngestConfig) -> bool:
    return (
        num_samples + len(group) <= config.max_shard_samples
        and size_bytes + _media_bytes(group) <= config.max_shard_bytes
    )


def _media_bytes(group: list[Sample]) -> int:
    return sum(len(sample.media or b"") for sample in group)

"""mds: samples -> the shards that `mosaicml-streaming` reads, version 2 of its format.

A shard is the number of its samples N, N + 1 offsets, the description of its columns as JSON, then the samples; all
numbers are little-endian uint32. A sample is the sizes of its columns, then their contents, in the order of their
names. `index.json` lists the shards. Written by ourselves: the package wants older versions of half of what we use.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.export.columns import TrainingSet
from pipeline.export.formats.writer import FormatConfig, cut_shards, row_json, split_rows

VERSION = 2


def write_mds(
    folder: Path, batches: Iterable[pa.RecordBatch], *, training_set: TrainingSet, config: FormatConfig
) -> None:
    """Write shard.00000.mds and so on: `key` as text, the picture as bytes, all else as JSON, which knows null."""
    description = _description(training_set, config)
    rows = (each for batch in batches for each in split_rows(batch, training_set))
    samples = (_sample(row, media, training_set) for row, media in rows)
    sized = ((sample, len(sample)) for sample in samples)
    shards = [
        _write_shard(folder, number, list(shard), description)
        for number, shard in cut_shards(sized, config.shard_bytes)
    ]
    (folder / "index.json").write_text(json.dumps({"version": VERSION, "shards": shards}, sort_keys=True) + "\n")


def _description(training_set: TrainingSet, config: FormatConfig) -> dict[str, Any]:
    names = _names(training_set)
    encodings = {"key": "str", training_set.picture: "bytes"}
    return {
        "version": VERSION,
        "format": "mds",
        "compression": None,
        "hashes": [],
        "size_limit": config.shard_bytes,
        "column_names": names,
        "column_encodings": [encodings.get(name, "json") for name in names],
        "column_sizes": [None] * len(names),  # each sample says its own
    }


def _names(training_set: TrainingSet) -> list[str]:
    return sorted(column.name for column in training_set.columns)


def _sample(row: dict[str, Any], media: bytes, training_set: TrainingSet) -> bytes:
    known = {"key": row["key"].encode(), training_set.picture: media}
    contents = [known[name] if name in known else row_json(row[name]).encode() for name in _names(training_set)]
    return b"".join([_uint32(map(len, contents)), *contents])


def _write_shard(folder: Path, number: int, samples: Sequence[bytes], description: dict[str, Any]) -> dict[str, Any]:
    """Write one shard and return what the index says about it."""
    text = json.dumps(description, sort_keys=True).encode()
    start = 4 + 4 * (len(samples) + 1) + len(text)
    offsets = start + np.cumsum([0, *map(len, samples)])
    name = f"shard.{number:05d}.mds"
    with (folder / name).open("wb") as file:
        for piece in (_uint32([len(samples)]), _uint32(offsets), text, *samples):
            file.write(piece)
        size_bytes = file.tell()
    raw_data = {"basename": name, "bytes": size_bytes, "hashes": {}}
    return {**description, "samples": len(samples), "raw_data": raw_data, "zip_data": None}


def _uint32(numbers: Iterable[int]) -> bytes:
    return np.fromiter(numbers, "<u4").tobytes()

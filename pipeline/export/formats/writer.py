"""Writer: what every format is, a function that writes the batches of a set into an empty folder."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa
from pydantic import Field

from pipeline.export.columns import TrainingSet
from schemas.config import StrictConfig
from schemas.errors import UserError

KEY = re.compile(r"[0-9a-f]{32}")
LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}

Row = dict[str, Any]
T = TypeVar("T")


class FormatConfig(StrictConfig):
    """How the files of a format are cut."""

    shard_bytes: int = Field(256 << 20, ge=1 << 10, le=2 << 30)  # per file; one sample more where it is larger


class Writer(Protocol):
    """One format. The folder is empty; batches come in order, each with the columns of the set."""

    def __call__(
        self, folder: Path, batches: Iterable[pa.RecordBatch], *, training_set: TrainingSet, config: FormatConfig
    ) -> None: ...


def split_rows(batch: pa.RecordBatch, training_set: TrainingSet) -> Iterator[tuple[Row, bytes]]:
    """Yield for each sample its columns without the picture, and the encoded picture.

    Raises UserError for a key that this project did not make: it becomes the name of a file.
    """
    for row in batch.to_pylist():
        media: bytes = row.pop(training_set.picture)["bytes"]
        if not KEY.fullmatch(row["key"]):
            raise UserError(f"key {row['key'][:80]!r}: expected 32 hex digits, as exports of this project have")
        yield row, media


def cut_shards(sized: Iterable[tuple[T, int]], shard_bytes: int) -> Iterator[tuple[int, Iterator[T]]]:
    """Yield the number of each shard and what is in it, in turn: as much as fits, at least one sample."""

    def numbered() -> Iterator[tuple[int, T]]:
        number = total = 0
        for sample, size_bytes in sized:
            if total and total + size_bytes > shard_bytes:
                number, total = number + 1, 0
            total += size_bytes
            yield number, sample

    for number, group in groupby(numbered(), key=itemgetter(0)):
        yield number, (sample for _, sample in group)


def row_json(value: object) -> str:
    """Write a row, or a value of one, as one line of JSON, whatever a reader takes for the end of a line."""
    return json.dumps(value, ensure_ascii=False).translate(LINE_ENDS)

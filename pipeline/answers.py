"""Answers on disk: part files of a stage, written in pieces, read back as one table keyed by sample.

Part names are SHARD-TIME-TOKEN-COUNT.parquet: they sort by time within a shard, and a listing alone tells how many
samples are answered. If two workers answered the same sample, the widest answer counts, then the first part by name.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from schemas.config import StrictConfig
from schemas.storage import list_finished, write_table
from schemas.table import arrow_schema

OK, FAILED = "ok", "failed"
Parts = Mapping[str, list[Path]]
BIG_COLUMNS = ("clean_media", "clean_mask")
MAX_PART_BYTES = 32 << 20
MAX_DETAIL_CHARACTERS = 500

STATUS_FIELDS = [
    pa.field("key", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("detail", pa.string()),
    pa.field("wants_video", pa.bool_(), nullable=False),
    pa.field("seconds", pa.float64(), nullable=False),  # on the clock; a batch's share
    pa.field("waited_seconds", pa.float64(), nullable=False),  # of `seconds`, until the batch was prepared
    pa.field("cpu_seconds", pa.float64(), nullable=False),  # of the processor, in this thread and the preparing one
    pa.field("tokens", pa.float64()),  # a model wrote; a batch's share; null where none counts them
]


def part_schema(answer_type: type) -> pa.Schema:
    """Return the schema of a part: status columns, then the stage's own, which are null where it failed."""
    own = [each.with_nullable(True) for each in arrow_schema(answer_type)]
    return pa.schema([*STATUS_FIELDS, *own])


class FlushConfig(StrictConfig):
    """When a worker writes what it has: all that a kill can cost is what came after."""

    samples: int = Field(256, ge=1)  # answers in a part file
    seconds: float = Field(10.0, gt=0)  # age of the oldest unwritten answer


@dataclass(slots=True)
class PartWriter:
    """Collects the rows of one shard and flushes them every N rows, B bytes or T seconds, whichever comes first."""

    folder: Path
    shard: str
    schema: pa.Schema
    config: FlushConfig
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _bytes: int = 0
    _since: float = field(default_factory=time.monotonic)

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self._bytes += sum(len(value) for value in row.values() if isinstance(value, bytes))
        is_due = time.monotonic() - self._since > self.config.seconds
        if is_due or len(self._rows) >= self.config.samples or self._bytes >= MAX_PART_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            token = f"{time.time_ns():016x}-{secrets.token_hex(3)}"
            path = self.folder / f"{self.shard}-{token}-{len(self._rows):05d}.parquet"
            write_table(path, pa.Table.from_pylist(self._rows, self.schema), uncompressed=BIG_COLUMNS)
        self._rows = []
        self._bytes = 0
        self._since = time.monotonic()


def parts_by_shard(folder: Path) -> Parts:
    """List a stage folder once; parts of each shard in order of name."""
    parts: defaultdict[str, list[Path]] = defaultdict(list)
    for path in list_finished(folder):
        parts[path.name.split("-", 1)[0]].append(path)
    return parts


def count_rows(folder: Path) -> int:
    """Return how many rows the parts of a stage hold, from their names alone."""
    return sum(int(path.stem.rsplit("-", 1)[1]) for path in list_finished(folder))


def read_answers(parts: Iterable[Path], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Read the answers of one shard: key -> row, with the part's path under `part`."""
    answers: dict[str, dict[str, Any]] = {}
    for path in parts:
        for row in pq.read_table(path, columns=columns, partitioning=None).to_pylist():
            known = answers.get(row["key"])
            if known is None or row["wants_video"] > known["wants_video"]:
                answers[row["key"]] = {**row, "part": path}
    return answers


def read_big_columns(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Read big columns for some rows of `read_answers`: key -> the columns, part by part."""
    keys_by_part: defaultdict[Path, list[str]] = defaultdict(list)
    for row in rows:
        keys_by_part[row["part"]].append(row["key"])
    found: dict[str, dict[str, Any]] = {}
    for path, keys in sorted(keys_by_part.items()):
        filters = [("key", "in", keys)]
        for row in pq.read_table(path, columns=["key", *columns], filters=filters, partitioning=None).to_pylist():
            found.setdefault(row["key"], row)
    return found


def answer_tables(folder: Path, columns: list[str], answer_type: type) -> Iterator[pa.Table]:
    """Yield the parts of a stage in order of name, only some columns, with the part's ordinal as `part`."""
    schema = part_schema(answer_type)
    wanted = pa.schema([schema.field(name) for name in columns])
    paths = list_finished(folder)
    if not paths:
        yield wanted.empty_table().append_column("part", pa.array([], pa.int32()))
    for ordinal, path in enumerate(paths):
        table = pq.read_table(path, columns=columns, partitioning=None).cast(wanted)
        yield table.append_column("part", pa.array([ordinal] * table.num_rows, pa.int32()))

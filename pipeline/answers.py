"""Answers on disk: part files of a stage, written in pieces, read back as one table keyed by sample.

Part names are SHARD-TIME-TOKEN-COUNT.parquet: they sort by time within a shard, and a listing alone tells how many
samples are answered. If two workers answered the same sample, the widest answer counts, then the first part by name.
A worker that has come to the end of its slice joins the parts it wrote, so a finished stage has few files per shard.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from schemas.config import StrictConfig
from schemas.location import Location, ObjectPath
from schemas.room import ReserveConfig
from schemas.storage import (
    list_finished,
    list_sizes,
    open_parquet,
    parquet_compression,
    read_parquet,
    remove_files,
    size_of,
    write_table,
    written_aside,
)
from schemas.table import arrow_schema

OK, FAILED = "ok", "failed"
Parts = Mapping[str, list[Location]]
BIG_COLUMNS = ("clean_media", "clean_mask")
MAX_PART_BYTES = 32 << 20
MAX_JOINED_BYTES = 64 << 20  # parts are joined up to this size: what is large is not worth writing twice
TEXT_BYTES = 4 << 10  # of one answer without its media, ample
READERS = {"disk": 2, "store": 16}  # parts read at the same time; requests mostly wait
NUM_TRIES = 5  # to read what a listing named: a worker may just have joined it with others
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

    folder: Location
    shard: str
    schema: pa.Schema
    config: FlushConfig
    reserve: ReserveConfig = field(default_factory=ReserveConfig)
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _written: list[Location] = field(default_factory=list)
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
            self.reserve.require(path, self._bytes + len(self._rows) * TEXT_BYTES)
            write_table(path, pa.Table.from_pylist(self._rows, self.schema), uncompressed=BIG_COLUMNS)
            self._written.append(path)
        self._rows = []
        self._bytes = 0
        self._since = time.monotonic()

    def finish(self) -> None:
        """Flush, then join the parts that this writer wrote: nothing is more to come."""
        self.flush()
        if len(self._written) > 1:
            for unbroken in _unbroken(self._written, shard_parts(self.folder, self.shard)):
                for parts in _neighbours(unbroken):
                    _join(parts, self.schema, self.reserve)
        self._written = []


def _unbroken(written: Sequence[Location], listed: Iterable[Location]) -> Iterator[list[Location]]:
    """Put own parts together that no part of another worker lies between: joining them cannot change who is first."""
    own, together = set(written), list[Location]()
    for part in listed:
        if part in own:
            together.append(part)
        else:
            yield together
            together = []
    yield together


def _neighbours(parts: Iterable[Location]) -> Iterator[list[Location]]:
    """Put parts together that make one of at most MAX_JOINED_BYTES; those that stay alone are left out."""
    together: list[Location] = []
    total = 0
    for part in parts:
        size = size_of(part) or 0
        if together and total + size > MAX_JOINED_BYTES:
            yield together
            together, total = [], 0
        together.append(part)
        total += size
    yield together


def _join(parts: Sequence[Location], schema: pa.Schema, reserve: ReserveConfig) -> None:
    """Write the rows of some parts into one, then remove them; killed in between, equal rows are there twice."""
    if len(parts) < 2:
        return
    first = parts[0].stem.rsplit("-", 2)[0]
    path = parts[0].with_name(f"{first}-{secrets.token_hex(3)}-{sum(map(_num_rows, parts)):05d}.parquet")
    compression = parquet_compression(schema, uncompressed=BIG_COLUMNS)
    reserve.require(path, sum(size_of(part) or 0 for part in parts))
    with (
        written_aside(path) as aside,
        pq.ParquetWriter(aside, schema, compression=compression, use_dictionary=False) as writer,
    ):
        for part in parts:
            with open_parquet(part) as file:
                writer.write_table(file.read())
    remove_files(parts)


def _num_rows(part: Location) -> int:
    return int(part.stem.rsplit("-", 1)[1])


def parts_by_shard(folder: Location) -> Parts:
    """List a stage folder once; parts of each shard in order of name."""
    parts: defaultdict[str, list[Location]] = defaultdict(list)
    for path in list_finished(folder):
        parts[path.name.split("-", 1)[0]].append(path)
    return parts


def shard_parts(folder: Location, shard: str) -> list[Location]:
    """List the parts of one shard in order of name."""
    return list_finished(folder, prefix=f"{shard}-")


def count_rows(folder: Location) -> int:
    """Return how many rows the parts of a stage hold, from their names alone."""
    return sum(map(_num_rows, list_finished(folder)))


@dataclass(frozen=True, slots=True)
class PartsSize:
    """How large the parts of a stage are together."""

    num_rows: int
    size_bytes: int


def measure_parts(folder: Location) -> PartsSize:
    """Return rows and bytes of the parts of a stage, from one listing."""
    sizes = {name: size for name, size in list_sizes(folder).items() if name.endswith(".parquet")}
    return PartsSize(sum(_num_rows(folder / name) for name in sizes), sum(sizes.values()))


def read_current_answers(folder: Location, shard: str, columns: list[str]) -> dict[str, dict[str, Any]]:
    """Read the answers of one shard while other workers may be writing to the same folder, and joining its parts."""
    for _ in range(NUM_TRIES - 1):
        try:
            return read_answers(shard_parts(folder, shard), columns)
        except FileNotFoundError:
            continue
    return read_answers(shard_parts(folder, shard), columns)


def read_answers(parts: Iterable[Location], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Read the answers of one shard: key -> row, with the part's path under `part`."""
    answers: dict[str, dict[str, Any]] = {}
    for path in parts:
        for row in read_parquet(path, columns).to_pylist():
            known = answers.get(row["key"])
            if known is None or row["wants_video"] > known["wants_video"]:
                answers[row["key"]] = {**row, "part": path}
    return answers


def read_big_columns(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Read big columns for some rows of `read_answers`: key -> the columns, part by part."""
    keys_by_part: defaultdict[Location, list[str]] = defaultdict(list)
    for row in rows:
        keys_by_part[row["part"]].append(row["key"])
    found: dict[str, dict[str, Any]] = {}
    for path, keys in sorted(keys_by_part.items()):
        for row in read_parquet(path, ["key", *columns], filters=[("key", "in", keys)]).to_pylist():
            found.setdefault(row["key"], row)
    return found


def answer_tables(parts: Sequence[Location], columns: Sequence[str], answer_type: type) -> Iterator[pa.Table]:
    """Yield parts of a stage in order, only some columns, each with its ordinal as `part`; some are read ahead."""
    schema = part_schema(answer_type)
    wanted = pa.schema([schema.field(name) for name in columns])
    if not parts:
        yield wanted.empty_table().append_column("part", pa.array([], pa.int32()))
    for ordinal, table in enumerate(read_ahead(parts, columns)):
        yield table.cast(wanted).append_column("part", pa.repeat(pa.scalar(ordinal, pa.int32()), table.num_rows))


def read_ahead(files: Sequence[Location], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield some columns of Parquet files in order, read by a few threads a bounded number ahead."""
    readers = READERS["store" if files and isinstance(files[0], ObjectPath) else "disk"]
    with ThreadPoolExecutor(readers) as pool:
        for first in range(0, len(files), 2 * readers):
            yield from pool.map(partial(read_parquet, columns=columns), files[first : first + 2 * readers])

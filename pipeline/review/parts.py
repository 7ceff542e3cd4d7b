"""Review on disk: decisions -> part files that are only ever added to; what many small ones say is put into one.

Nobody needs a lock: a part has a name of its own, and whoever joins parts removes only those whose rows are all in the
new one. Killed in between, or joined by two at a time, equal rows are there twice; readers count them once.
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.answers import read_ahead
from pipeline.root import DatasetRoot
from schemas.location import Location
from schemas.review import ReviewDecision
from schemas.storage import (
    list_sizes,
    open_parquet,
    parquet_compression,
    remove_files,
    write_table,
    written_aside,
)

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("key", pa.string()),
        ("action", pa.string()),
        ("field", pa.string()),
        ("text", pa.string()),
        ("note", pa.string()),
        ("reviewer", pa.string()),
        ("time", pa.string()),
    ]
)
ROWS_AT_A_TIME = 4096
SMALL_PART_BYTES = 256 << 10
MAX_SMALL_PARTS = 64


def append_decisions(root: DatasetRoot, decisions: Iterable[ReviewDecision]) -> int:
    """Store decisions as one part, all of them or none, and return how many; any number of people may do so at a time.

    Whether the keys are those of samples is not looked at: see `find_unknown_keys`. Raises MachineFault.
    """
    rest = iter(decisions)
    first = next(rest, None)
    if first is None:
        return 0
    token = f"{time.time_ns():016x}-{secrets.token_hex(6)}"
    rows = _rows(chain([first], rest), token)
    num_rows = 0
    with (
        written_aside(root.review / f"{token}.parquet") as aside,
        pq.ParquetWriter(aside, SCHEMA, compression=parquet_compression(SCHEMA)) as writer,
    ):
        while group := list(islice(rows, ROWS_AT_A_TIME)):
            writer.write_table(pa.Table.from_pylist(group, SCHEMA))
            num_rows += len(group)
    join_small_parts(root)
    return num_rows


def _rows(decisions: Iterable[ReviewDecision], token: str) -> Iterator[dict[str, str | None]]:
    """Yield rows with ids that sort as the decisions came; one that has an id from elsewhere keeps it."""
    for number, decision in enumerate(decisions):
        yield {**decision.model_dump(), "id": decision.id or f"{token}-{number:08d}"}


def join_small_parts(root: DatasetRoot) -> None:
    """Put small parts into one as soon as there are many of them; no decision is lost or changed by it."""
    sizes = list_sizes(root.review)
    small = [root.review / name for name in sorted(sizes) if sizes[name] < SMALL_PART_BYTES]
    if len(small) <= MAX_SMALL_PARTS:
        return
    with suppress(FileNotFoundError):  # somebody else has just joined them
        table = pa.concat_tables(read_ahead(small, SCHEMA.names))
        first = small[0].stem.partition("-")[0]
        write_table(root.review / f"{first}-{secrets.token_hex(6)}.parquet", once(table))
        remove_files(small)


def once(table: pa.Table) -> pa.Table:
    """Return each row of a small table once, in order of time."""
    distinct = table.group_by(SCHEMA.names, use_threads=False).aggregate([])
    return distinct.select(SCHEMA.names).sort_by([("time", "ascending"), ("id", "ascending")])


def read_parts(root: DatasetRoot, sizes: Mapping[str, int], keys: Sequence[str] = ()) -> Iterator[pa.Table]:
    """Yield what parts of these names and sizes hold, or what of it is about some samples; equal rows may come twice.

    First comes an empty table. Small parts are read several at a time, of a large one some rows at a time.
    """
    yield SCHEMA.empty_table()
    parts = [root.review / name for name in sorted(sizes) if name.endswith(".parquet")]
    small = [part for part in parts if sizes[part.name] < SMALL_PART_BYTES]
    large = [part for part in parts if sizes[part.name] >= SMALL_PART_BYTES]
    for table in chain(read_ahead(small, SCHEMA.names), *map(read_batches, large)):
        yield (table.filter(pc.is_in(table["key"], pa.array(keys, pa.string()))) if keys else table).cast(SCHEMA)


def read_batches(
    file: Location, columns: Sequence[str] | None = None, *, rows: int = ROWS_AT_A_TIME
) -> Iterator[pa.Table]:
    """Yield some rows of a Parquet file after the other, only some columns or all."""
    with open_parquet(file) as opened:
        for batch in opened.iter_batches(rows, columns=None if columns is None else list(columns)):
            yield pa.Table.from_batches([batch])

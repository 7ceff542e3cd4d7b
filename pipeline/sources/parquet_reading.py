"""Reading Parquet: a file -> its columns batch by batch, and whose fault it is if that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.content import shown
from pipeline.sources.files import Files
from pipeline.sources.readable import readable
from pipeline.sources.reading import FILE_ERRNOS, machine_fault
from schemas.errors import MachineFault, UserError

MAX_BATCH_BYTES = 8 << 20
MAX_SHARED_BYTES = 128 << 20
DAMAGE = (
    OSError,
    pa.ArrowException,
    MemoryError,
    UnicodeDecodeError,
)  # what a damaged file makes pyarrow raise


@contextmanager
def open_parquet(files: Files, name: bytes, *, max_ratio: float) -> Iterator[pq.ParquetFile]:
    """Open a file and read its footer. Raises UserError if it is no Parquet file, or MachineFault.

    max_ratio: rows that a file may claim for each of its bytes; every row is a sample, whatever becomes of it.
    """
    where = readable(name)
    try:
        with files.open_ranges(name) as source:
            # Without both settings a whole column of a row group is read into memory at once.
            file = pq.ParquetFile(source, buffer_size=files.buffer_bytes, pre_buffer=False)
            _check_row_counts(file.metadata, where)
            size_bytes = source.size()
            if file.metadata.num_rows > max_ratio * size_bytes:
                claim = f"claims {file.metadata.num_rows:,} rows in {size_bytes:,} bytes"
                raise UserError(f"{where}: {claim}, more than source.max_ratio allows for each byte")
            yield file
    except DAMAGE as error:
        raise UserError(f"{where}: cannot be read as Parquet: {damage_of(error)}") from error


def _check_row_counts(metadata: pq.FileMetaData, where: str) -> None:
    """Refuse a footer whose row groups do not add up: by one damaged number it could claim a billion rows."""
    num_rows = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    if num_rows != metadata.num_rows:
        raise UserError(f"{where}: its row groups have {num_rows:,} rows, the file claims {metadata.num_rows:,}")


def damage_of(error: BaseException) -> str:
    """Return what is wrong with a file, in its reader's words. Raises MachineFault if it is not the file."""
    if isinstance(error, MemoryError):
        raise MachineFault(f"reading Parquet: out of memory: {error}") from error
    if isinstance(error, OSError) and error.errno is not None and error.errno not in FILE_ERRNOS:
        raise machine_fault(error) from error
    text = str(error).strip() or type(error).__name__
    return shown(text.splitlines()[0])


def rows_per_batch(file: pq.ParquetFile, group: int, *, least: int = 1, most: int) -> int:
    """How many rows of a row group to read at once, from `least` to `most`: 8 MiB of rows of average size.

    Nor more than make 128 MiB if every row is as large as the whole group: a dictionary may hold one huge value that
    all rows share. Asks for no column's metadata: where those are damaged, pyarrow ends the process.
    """
    chunks = file.metadata.row_group(group)
    size_bytes = max(1, chunks.total_byte_size)
    return int(max(least, min(most, MAX_BATCH_BYTES * chunks.num_rows // size_bytes, MAX_SHARED_BYTES // size_bytes)))


def read_batches(
    file: pq.ParquetFile, columns: list[str], *, batch_rows: int, row_group: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most `batch_rows` rows, of one row group or of all, in order.

    Raises OSError, pa.ArrowException or MemoryError where the file is damaged: see `damage_of`.
    """
    groups = range(file.num_row_groups) if row_group is None else [row_group]
    yield from file.iter_batches(batch_size=batch_rows, row_groups=list(groups), columns=columns, use_threads=False)

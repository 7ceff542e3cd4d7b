"""Parquet files: one file, or a folder of them, with a column of encoded media -> one sample per row."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from pipeline.sources.config import SourceConfig
from pipeline.sources.container_files import find_containers
from pipeline.sources.content import make_sample, unreadable
from pipeline.sources.extra import extra_json
from pipeline.sources.files import Files
from pipeline.sources.parquet_reading import DAMAGE, damage_of, open_parquet, read_batches, rows_per_batch
from pipeline.sources.parquet_rows import ParquetRow, RowReader
from pipeline.sources.positions import row_position
from pipeline.sources.readable import readable
from pipeline.sources.state import digest_state
from schemas.sample import Sample, sample_key

PARQUET_SUFFIXES = (".parquet",)
MAX_BATCH_ROWS = 64


@dataclass(frozen=True, slots=True)
class ParquetFiles:
    """Rows are read some at a time; a row group all of whose rows are skipped is not read at all."""

    config: SourceConfig
    files: Files
    names: tuple[bytes, ...]
    kind: str = "parquet"

    @property
    def name(self) -> str:
        return self.config.name

    def state(self) -> str:
        """The files by name, size and time tell which samples there are."""
        return digest_state(self.config, self.kind, self.names, self.files.stamps(self.names))

    def check(self) -> None:
        """Read every footer. Raises UserError if a file is no Parquet or has not the columns."""
        for name in self.names:
            with open_parquet(self.files, name, max_ratio=self.config.max_ratio) as file:
                RowReader(file.schema_arrow, self.config, where=readable(name))

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield file by file, in the order of their names' bytes, row by row."""
        for name in self.names:
            with open_parquet(self.files, name, max_ratio=self.config.max_ratio) as file:
                reader = RowReader(file.schema_arrow, self.config, where=readable(name))
                first_row = 0
                for group in range(file.num_row_groups):
                    rows = range(first_row, first_row + file.metadata.row_group(group).num_rows)
                    first_row = rows.stop
                    if any(self._key(name, row) not in skip for row in rows):
                        yield from self._read_group(name, file, reader, group, rows, skip)

    def _read_group(
        self,
        name: bytes,
        file: pq.ParquetFile,
        reader: RowReader,
        group: int,
        rows: range,
        skip: Container[str],
    ) -> Iterator[Sample]:
        """Yield the rows of one row group; those that its damage hides are samples all the same."""
        row = rows.start
        detail = "the row group has fewer rows than the file says"
        batch_rows = rows_per_batch(file, group, most=MAX_BATCH_ROWS)
        try:
            for batch in read_batches(file, reader.columns, batch_rows=batch_rows, row_group=group):
                keys = [self._key(name, each) for each in range(row, row + len(batch))]
                for found in reader.read(batch, is_wanted=[key not in skip for key in keys]):
                    row += 1
                    if found is not None:
                        yield self._make_sample(name, row - 1, found)
        except DAMAGE as error:
            detail = f"the row group is damaged: {damage_of(error)}"
        for lost in range(row, rows.stop):
            if self._key(name, lost) not in skip:
                yield self._make_sample(name, lost, ParquetRow(unreadable(detail), None, {}))

    def _make_sample(self, name: bytes, row: int, found: ParquetRow) -> Sample:
        return make_sample(
            found.content,
            row_position(name, row),
            source=self.config.name,
            key=self._key(name, row),
            label=found.label,
            extra=extra_json(found.extra),
        )

    def _key(self, name: bytes, row: int) -> str:
        return sample_key(self.config.name, row_position(name, row))


def find_parquet_files(config: SourceConfig, files: Files) -> ParquetFiles:
    """List the files. Raises UserError if there is none."""
    return ParquetFiles(config, files, find_containers(config, files, PARQUET_SUFFIXES))

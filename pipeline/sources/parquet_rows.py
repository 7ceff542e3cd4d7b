"""Parquet rows: a batch of columns -> media, label and extra of each row."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.arrow_columns import LabelColumn, extra_names, is_bytes, is_text, read_extra, text_bytes
from pipeline.sources.config import SourceConfig
from pipeline.sources.content import Content, found, shown, too_large, unreadable
from pipeline.sources.label_row import check_columns
from pipeline.sources.readable import readable
from schemas.errors import UserError


@dataclass(frozen=True, slots=True)
class ParquetRow:
    """What one row holds."""

    content: Content
    label: str | None
    extra: dict[str, object]


class RowReader:
    """Tells media, label and extra apart by a schema. Media: bytes, or Hugging Face's {bytes, path}."""

    def __init__(self, schema: pa.Schema, config: SourceConfig, *, where: str) -> None:
        """Check the columns. Raises UserError that begins with `where`."""
        name = config.bytes_column
        check_columns(schema.names, config, needed=[name], where=where)
        kind = schema.field(name).type
        is_struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        if not is_bytes(kind.field("bytes").type if is_struct else kind):
            raise UserError(f"{where}: column {shown(name)} is {kind}, expected bytes or a struct with a field 'bytes'")
        self._config = config
        self._is_struct = is_struct
        self._has_path = is_struct and kind.get_field_index("path") >= 0 and is_text(kind.field("path").type)
        self._labels = LabelColumn(schema, config, where=where)
        self._extra_names = extra_names(schema, without=[name, config.label_column])

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        return [self._config.bytes_column, *self._labels.names, *self._extra_names]

    def read(self, batch: pa.RecordBatch, *, is_wanted: list[bool]) -> Iterator[ParquetRow | None]:
        """Yield one row per row of the batch, None for those not wanted."""
        column = batch.column(self._config.bytes_column)
        media = pc.struct_field(column, "bytes") if self._is_struct else column
        sizes = pc.binary_length(media.cast(pa.large_binary())).to_pylist()
        paths = text_bytes(pc.struct_field(column, "path")) if self._has_path else [None] * len(batch)
        labels = self._labels.read(batch)
        extras = read_extra(batch, self._extra_names)
        for row, wanted in enumerate(is_wanted):
            if not wanted:
                yield None
                continue
            content = self._read_content(media, row, size=sizes[row], path=paths[row])
            if paths[row] is not None:
                extras[row][f"{self._config.bytes_column}.path"] = readable(paths[row] or b"")
            yield ParquetRow(content, labels[row], extras[row])

    def _read_content(self, media: pa.Array, row: int, *, size: int | None, path: bytes | None) -> Content:
        if size is None:
            name = shown(self._config.bytes_column)
            only_path = "" if path is None else f", only the path {shown(path)}"
            return unreadable(f"the column {name} has no bytes in this row{only_path}")
        if size > self._config.max_file_bytes:
            return too_large(size, self._config.max_file_bytes)
        return found(media[row].as_py())

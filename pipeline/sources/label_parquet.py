"""labels.parquet -> label rows, streamed batch by batch."""

from collections.abc import Iterator

from pipeline.sources.arrow_columns import LabelColumn, extra_names, is_text, read_extra, text_bytes
from pipeline.sources.config import SourceConfig
from pipeline.sources.content import shown
from pipeline.sources.files import Files
from pipeline.sources.label_row import LabelRow, check_columns, make_row
from pipeline.sources.parquet_reading import open_parquet, read_batches, rows_per_batch
from schemas.errors import UserError

BATCH_ROWS = 1024
MIN_BATCH_ROWS = 64


def read_parquet_rows(files: Files, name: str, config: SourceConfig) -> Iterator[LabelRow]:
    """Yield a row per row, counted from 0. Raises UserError naming the row that is broken."""
    with open_parquet(files, name.encode(), max_ratio=config.max_ratio) as file:
        schema = file.schema_arrow
        labels = LabelColumn(schema, config, where=name)
        check_columns(schema.names, config, needed=[config.path_column], where=name)
        kind = schema.field(config.path_column).type
        if not is_text(kind):
            raise UserError(f"{name}: column {shown(config.path_column)} is {kind}, expected text")
        others = extra_names(schema, without=[config.path_column, config.label_column])
        row = 0
        groups = range(file.num_row_groups)
        batch_rows = min(
            (rows_per_batch(file, group, least=MIN_BATCH_ROWS, most=BATCH_ROWS) for group in groups), default=1
        )
        batches = read_batches(file, [config.path_column, *labels.names, *others], batch_rows=batch_rows)
        for batch in batches:
            paths = text_bytes(batch.column(config.path_column))
            for path, label, extra in zip(paths, labels.read(batch), read_extra(batch, others), strict=True):
                yield make_row(path, label, extra, where=f"{name} row {row}")
                row += 1

"""labels.csv -> label rows: comma separated, with a header, streamed."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.sources.config import SourceConfig
from pipeline.sources.label_jsonl import read_lines
from pipeline.sources.label_row import LabelRow, check_columns, make_row
from schemas.errors import UserError


def read_csv_rows(file: BinaryIO, name: str, config: SourceConfig) -> Iterator[LabelRow]:
    """Yield a row per record, blank lines passed over. Raises UserError naming the line that is broken."""
    records = csv.reader(_decode_lines(file, name), strict=True)
    header: list[str] = []
    try:
        for record in records:
            where = f"{name} line {records.line_num}"
            if not header:
                check_columns(record, config, needed=[config.path_column], where=where)
                header = record
            elif record:
                yield _make_row(header, record, config, where)
    except csv.Error as error:
        raise UserError(f"{name} line {records.line_num}: not CSV: {error}") from error


def _make_row(header: list[str], record: list[str], config: SourceConfig, where: str) -> LabelRow:
    if len(record) != len(header):
        raise UserError(f"{where}: {len(record)} cells, expected {len(header)} as in the header")
    values: dict[str, object] = dict(zip(header, record, strict=True))
    path = values.pop(config.path_column)
    return make_row(path, values.pop(config.label_column, None), values, where=where)


def _decode_lines(file: BinaryIO, name: str) -> Iterator[str]:
    for where, line in read_lines(file, name):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{where}: not UTF-8 at byte {error.start} of the line") from error

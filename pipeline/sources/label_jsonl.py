"""labels.jsonl -> label rows: one JSON object per line, streamed."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.sources.config import DEFAULT_LABEL_COLUMN, SourceConfig
from pipeline.sources.content import shown
from pipeline.sources.label_row import LabelRow, make_row
from schemas.errors import UserError

MAX_LINE_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_jsonl_rows(file: BinaryIO, name: str, config: SourceConfig) -> Iterator[LabelRow]:
    """Yield a row per line, blank lines passed over. Raises UserError naming the line that is broken."""
    found_label = config.label_column == DEFAULT_LABEL_COLUMN
    for where, line in read_lines(file, name):
        if not line.strip():
            continue
        values = _parse_object(line, where)
        found_label = found_label or config.label_column in values
        path = values.pop(config.path_column, None)
        yield make_row(path, values.pop(config.label_column, None), values, where=where)
    if not found_label:
        raise UserError(f"{name}: no line has the key {shown(config.label_column)} of source.label_column")


def read_lines(file: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield each line with the words that name it. Raises UserError for a line of more than 1 MiB."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        where = f"{name} line {number}"
        if len(line) > MAX_LINE_BYTES:
            raise UserError(f"{where}: longer than {MAX_LINE_BYTES:,} bytes, expected one sample per line")
        yield where, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def _parse_object(line: bytes, where: str) -> dict[str, object]:
    try:
        values = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 at byte {error.start} of the line") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON at character {error.pos + 1} of the line: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: JSON with a number or a nesting beyond all measure") from error
    if not isinstance(values, dict):
        raise UserError(f"{where}: {type(values).__name__}, expected a JSON object with a path and a label")
    return values

"""Arrow columns -> plain values: labels as text, further columns as what JSON can hold."""

import json

import pyarrow as pa

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import shown
from pipeline.sources.label_row import check_columns
from pipeline.sources.readable import readable, readable_label
from schemas.errors import UserError


class LabelColumn:
    """A column of labels: text, or whole numbers that stand for themselves or for a dataset card's names."""

    def __init__(self, schema: pa.Schema, config: SourceConfig, *, where: str) -> None:
        """Find the column. Raises UserError if it is asked for by name and missing, or holds no label."""
        check_columns(schema.names, config, needed=[], where=where)
        self._name = config.label_column
        self._is_there = self._name in schema.names
        self._class_names: list[str] = []
        if self._is_there:
            kind = schema.field(self._name).type
            if not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
                raise UserError(f"{where}: column {shown(self._name)} is {kind}, expected text or whole numbers")
            self._class_names = _class_names(schema, self._name)

    @property
    def names(self) -> list[str]:
        """The columns to read: one or none."""
        return [self._name] if self._is_there else []

    def read(self, batch: pa.RecordBatch) -> list[str | None]:
        """Return one label per row."""
        if not self._is_there:
            return [None] * len(batch)
        column = batch.column(self._name)
        if is_text(column.type):
            return [readable_label(text) for text in text_bytes(column)]
        return [self._name_of(number) for number in column.to_pylist()]

    def _name_of(self, number: int | None) -> str | None:
        if number is None or (self._class_names and number == -1):  # -1: unlabelled, as Hugging Face writes it
            return None
        return self._class_names[number] if 0 <= number < len(self._class_names) else str(number)


def extra_names(schema: pa.Schema, *, without: list[str]) -> list[str]:
    """Return the columns that go to `extra`: all others but those that hold bytes anywhere."""
    return [field.name for field in schema if field.name not in without and not _holds_bytes(field.type)]


def read_extra(batch: pa.RecordBatch, names: list[str]) -> list[dict[str, object]]:
    """Return one mapping per row from column name to a plain value."""
    columns = [_plain_values(batch.column(name)) for name in names]
    return [{name: column[row] for name, column in zip(names, columns, strict=True)} for row in range(len(batch))]


def is_text(kind: pa.DataType) -> bool:
    """True for text of any width, written out or by dictionary."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """True for byte strings of any length."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def text_bytes(column: pa.Array) -> list[bytes | None]:
    """Return a text column as the bytes it is stored in, which need not be UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _plain_values(column: pa.Array) -> list[object]:
    if is_text(column.type):
        return [None if text is None else readable(text) for text in text_bytes(column)]
    return [_plain_value(value) for value in column]


def _plain_value(value: pa.Scalar) -> object:
    if not value.is_valid:
        return None
    if isinstance(value, pa.MapScalar):
        return [[_plain_value(pair["key"]), _plain_value(pair["value"])] for pair in value.values]
    if isinstance(value, pa.ListScalar):
        return [_plain_value(each) for each in value.values]
    if isinstance(value, pa.StructScalar):
        return {field.name: _plain_value(value[number]) for number, field in enumerate(value.type)}
    if pa.types.is_temporal(value.type):
        return _time_text(value)
    try:
        plain: object = value.as_py()
    except ValueError:  # text that is no UTF-8
        return None
    return plain


def _time_text(value: pa.Scalar) -> str:
    """A date or time as text; one with a time zone in UTC, which needs no table of zones."""
    if pa.types.is_timestamp(value.type) and value.type.tz is not None:
        return f"{value.cast(pa.timestamp(value.type.unit)).cast(pa.string()).as_py()}Z"
    return str(value.cast(pa.string()).as_py())


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_bytes(kind.value_type)
    if kind.num_fields:
        return any(_holds_bytes(kind.field(number).type) for number in range(kind.num_fields))
    return is_bytes(kind) or pa.types.is_fixed_size_binary(kind)


def _class_names(schema: pa.Schema, column: str) -> list[str]:
    """Return the names of a ClassLabel column from the card that Hugging Face writes into a schema."""
    try:
        card = json.loads((schema.metadata or {})[b"huggingface"])
        names = card["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []

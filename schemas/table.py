"""Dataclasses as Arrow: a frozen dataclass -> its schema; its instances -> a table, and back."""

import dataclasses
import types
import typing
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import pyarrow as pa

T = TypeVar("T")

SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.large_binary(),
}


def arrow_schema(cls: type[Any]) -> pa.Schema:
    """Return the Arrow schema of a dataclass; fields typed `X | None` are nullable."""
    return pa.schema(_fields(cls))


def to_rows(instances: Iterable[Any]) -> list[dict[str, Any]]:
    """Turn dataclass instances into plain rows, nested ones included; unlike `asdict` it copies no value."""
    return [_plain(instance) for instance in instances]


def from_row(cls: type[T], row: Mapping[str, Any]) -> T:
    """Build a dataclass from a row that has at least its columns; nested dataclasses are built too."""
    hints = _hints(cls)
    return cls(**{name: _revive(hint, row[name]) for name, hint in hints.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in _hints(type(value))}
    return value


def _fields(cls: type) -> list[pa.Field]:
    return [pa.field(name, *_arrow_type(hint)) for name, hint in _hints(cls).items()]


def _hints(cls: type[Any]) -> dict[str, Any]:
    return _hints_of(cast(Hashable, cls))


@cache
def _hints_of(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _arrow_type(hint: Any) -> tuple[pa.DataType, bool]:
    """Return the Arrow type of an annotation and whether it may be null."""
    if hint in SCALARS:
        return SCALARS[hint], False
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return _arrow_type(inner)[0], True
    if origin is list:
        return pa.list_(_arrow_type(arguments[0])[0]), False
    assert dataclasses.is_dataclass(hint), f"no Arrow type for {hint}"
    return pa.struct(_fields(cast(type, hint))), False


def _revive(hint: Any, value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bytes)):
        return value
    arguments = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    if isinstance(value, list):
        inner = typing.get_args(arguments[0])[0] if typing.get_origin(arguments[0]) is list else arguments[0]
        return [_revive(inner, element) for element in value]
    target = arguments[0] if arguments else hint
    return from_row(target, value)

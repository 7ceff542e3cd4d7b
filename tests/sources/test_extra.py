"""Further columns as JSON: always valid, always sorted, never large."""

import datetime
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.extra import DROPPED, MAX_EXTRA_BYTES, extra_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=8) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=5))
def test_any_values_become_valid_json_with_sorted_keys_that_arrow_can_hold(values: dict[str, object]) -> None:
    text = extra_json(values)
    text.encode("utf-8")
    parsed = json.loads(text, parse_constant=refuse_constant)
    assert list(parsed) == sorted(parsed)
    assert len(parsed) <= len(values)


def test_the_order_of_the_columns_does_not_matter() -> None:
    assert extra_json({"b": {"y": 1, "x": 2}, "a": "笑"}) == '{"a": "笑", "b": {"x": 2, "y": 1}}'
    assert extra_json({}) == "{}"


def test_values_without_a_json_form_become_text_or_null() -> None:
    values = {
        "bytes": b"x",
        "date": datetime.date(2024, 2, 29),
        "inf": float("inf"),
        "money": Decimal("1.50"),
        "nan": [float("nan"), 1.5],
        "nul": "a\0b",
    }
    assert json.loads(extra_json(values)) == {
        "bytes": None,
        "date": "2024-02-29",
        "inf": None,
        "money": "1.50",
        "nan": [None, 1.5],
        "nul": "a\\x00b",
    }


def test_a_value_too_large_is_left_out_and_named() -> None:
    parsed = json.loads(
        extra_json({"a": "x" * MAX_EXTRA_BYTES, "b": 1, "c": "y" * (MAX_EXTRA_BYTES - 10), "d": "é" * 9})
    )
    assert parsed[DROPPED] == ["a", "d"]
    assert parsed["b"] == 1
    assert set(parsed) == {"b", "c", DROPPED}


def test_a_nesting_beyond_all_measure_becomes_null() -> None:
    value: object = 1
    for _ in range(500):
        value = [value]
    assert json.loads(extra_json({"deep": value}))["deep"] is not None
    assert "null" in extra_json({"deep": value})

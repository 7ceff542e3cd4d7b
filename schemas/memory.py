"""Memory: what a person writes for an amount of it, such as "4GiB" -> bytes."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {f"{prefix}IB": 2 ** (10 * power) for power, prefix in enumerate("KMGT", start=1)}
WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def parse_memory(value: Any) -> Any:
    """Return bytes for a number with a unit; numbers alone are bytes. Raises ValueError naming what was expected."""
    if not isinstance(value, str):
        return value
    match = WRITTEN.fullmatch(value)
    if match is None or match[2].upper() not in UNITS:
        raise ValueError(f"{value!r} is no amount of memory, expected a number with a unit, such as '4GiB' or '512MB'")
    return int(float(match[1]) * UNITS[match[2].upper()])


Memory = Annotated[int, BeforeValidator(parse_memory), Field(ge=0)]
"""Bytes, in a config written as "4GiB"."""

"""Extra: the further columns of a source -> one JSON object with sorted keys, at most 64 KiB of values.

Values that JSON has no form for become text (dates, decimals) or null (NaN, infinity, bytes, more than 32
levels of nesting). A value that would take the object beyond the limit is left out, and its name is listed
under "_dropped".
"""

import json
import math
from collections.abc import Mapping

from pipeline.sources.readable import readable

MAX_EXTRA_BYTES = 64 << 10
MAX_NESTING = 32
DROPPED = "_dropped"


def extra_json(values: Mapping[str, object]) -> str:
    """Return the values as the text of a JSON object, valid UTF-8, keys sorted."""
    kept: dict[str, str] = {}
    dropped = []
    size_bytes = 0
    for name in sorted(values):
        text = json.dumps(_plain(values[name], MAX_NESTING), ensure_ascii=False, allow_nan=False, sort_keys=True)
        cost = len(text.encode())
        if size_bytes + cost > MAX_EXTRA_BYTES:
            dropped.append(readable(name))
            continue
        size_bytes += cost
        kept[readable(name)] = text
    if dropped:
        kept[DROPPED] = json.dumps(dropped, ensure_ascii=False)
    return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {kept[name]}" for name in sorted(kept)) + "}"


def _plain(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, bytes) or depth == 0:
        return None
    if isinstance(value, Mapping):
        return {readable(str(name)): _plain(each, depth - 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, depth - 1) for each in value]
    return readable(str(value))

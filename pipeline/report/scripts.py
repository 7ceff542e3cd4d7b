"""Scripts: data -> files that a page loads as scripts, because a page opened from a disk may load nothing else.

Text from outside stays a string: `<`, `>` and `&` are escaped, so no string can end a script or begin a tag.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
FIRST_CHUNK, NEXT_CHUNKS = 96, 400  # samples in a file: the first is small so that the page is there at once


def script_of(name: str, value: Any) -> str:
    """Return a script that hands a value to the page under a name."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return f"mobius.receive({json.dumps(name)},{text});\n"


def write_chunks(folder: Path, records: Sequence[Any]) -> int:
    """Write samples-0.js, samples-1.js, ... and return how many there are, at least one."""
    edges = [0, *range(FIRST_CHUNK, len(records), NEXT_CHUNKS), len(records)]
    for number, (first, end) in enumerate(pairwise(edges)):
        (folder / f"samples-{number}.js").write_text(
            script_of("samples", records[first:end]), encoding="utf-8", errors="replace"
        )
    return len(edges) - 1

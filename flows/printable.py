"""Printable: text of any origin -> what a terminal may get: no escape sequences, no turned writing, no flood."""

import json
import sys
from typing import Any

from schemas.hidden import hide_secrets

MAX_SENTENCE_CHARACTERS = 4000


def printable(text: str, *, limit: int | None = None) -> str:
    """Return the text with everything that does not print replaced, line ends aside, and cut to `limit` characters."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def complain(sentence: str) -> None:
    """Write a sentence to standard error; it may hold names from a source and words of a library."""
    sys.stderr.write(f"mobius: {printable(hide_secrets(sentence), limit=MAX_SENTENCE_CHARACTERS)}\n")


def print_json(value: Any) -> None:
    """Write a value to standard output as JSON in which everything that does not print is escaped."""
    for line in json.dumps(value, ensure_ascii=False, indent=1).split("\n"):
        sys.stdout.write((line if line.isprintable() else _escaped(line)) + "\n")


def _escaped(line: str) -> str:
    """Escape what does not print; outside of its strings JSON has nothing of that kind."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)

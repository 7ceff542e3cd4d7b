"""Sidecars: the .json, .cls and .txt members beside a tar's media -> its label and extra.

WebDataset naming: members whose names agree up to the first dot of the file name belong together.
"""

import json

from pipeline.sources.content import shown
from pipeline.sources.readable import readable_label

MAX_SIDECAR_BYTES = 1 << 20
PROBLEM = "_problem"
SIDECAR_SUFFIXES = frozenset({b"json", b"cls", b"txt"})


def split_name(name: bytes) -> tuple[bytes, bytes]:
    """Split at the first dot of the file name, its leading dots aside: `a/b.c.gif` -> `a/b` and `c.gif`."""
    start = name.rfind(b"/") + 1
    while name[start : start + 1] == b".":
        start += 1
    dot = name.find(b".", start)
    return (name, b"") if dot < 0 else (name[:dot], name[dot + 1 :])


def sidecar_suffix(extension: bytes) -> bytes | None:
    """Return json, cls or txt if a member with this extension describes its neighbours, None for media."""
    suffix = extension.rpartition(b".")[2].lower()
    return suffix if suffix in SIDECAR_SUFFIXES else None


class Sidecars:
    """What the sidecars of one base name say, at most 1 MiB together; the first thing wrong goes to `extra`.

    The label is that of the .json, else the .cls, else the .txt; what of them is no label goes to `extra`.
    """

    def __init__(self) -> None:
        self.room_bytes = MAX_SIDECAR_BYTES
        self._values: dict[str, object] = {}
        self._texts: dict[str, str] = {}
        self._problem: str | None = None

    def add(self, name: bytes, suffix: bytes, data: bytes) -> None:
        """Take in one sidecar's bytes."""
        self.room_bytes -= len(data)
        if suffix == b"json":
            self._add_json(name, data)
            return
        text = data.decode("utf-8", "backslashreplace")
        # An end of line is no part of the label.
        self._texts[suffix.decode()] = text.removesuffix("\n").removesuffix("\r")

    def _add_json(self, name: bytes, data: bytes) -> None:
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            self.complain(f"{shown(name)} is not JSON")
            return
        if isinstance(values, dict):
            self._values |= values
        else:
            self.complain(f"{shown(name)} is not a JSON object")

    def complain(self, problem: str) -> None:
        self._problem = self._problem or problem

    def read(self, label_column: str) -> tuple[str | None, dict[str, object]]:
        """Return the label, None if there is none, and everything else that was said."""
        values, texts = dict(self._values), dict(self._texts)
        label = _label_text(values.get(label_column))
        if label is not None or values.get(label_column) is None:
            values.pop(label_column, None)
        for suffix in ("cls", "txt"):
            label = label or texts.pop(suffix, None)
        extra = {**texts, **values}
        if self._problem is not None:
            extra[PROBLEM] = self._problem
        return readable_label(label), extra


def _label_text(value: object) -> str | None:
    """A label of a .json: text, or a whole number as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None

"""Listing: everything below a location, in one pass, with sizes and ages."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schemas import object_store
from schemas.location import Location, ObjectPath


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where, its parts below the location that was listed, how large, and when it was last written."""

    location: Location
    parts: tuple[str, ...]
    size_bytes: int
    modified: float  # seconds since 1970


def list_below(location: Location) -> Iterator[Found]:
    """Yield every file below a location; what vanishes meanwhile is left out. Links are not followed."""
    if isinstance(location, ObjectPath):
        for each in object_store.list_below_with_times(location.protocol, location.key):
            inner = str(each["name"]).removeprefix(f"{location.key}/")
            modified: datetime | None = each["modified"]
            found = ObjectPath(location.protocol, each["name"])
            yield Found(found, tuple(inner.split("/")), each["size"], modified.timestamp() if modified else 0.0)
        return
    for folder, _, names in os.walk(location):
        for name in names:
            path = Path(folder) / name
            try:
                stat = path.lstat()
            except FileNotFoundError:
                continue
            yield Found(path, path.relative_to(location).parts, stat.st_size, stat.st_mtime)

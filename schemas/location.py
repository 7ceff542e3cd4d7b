"""Location: what a person writes as a place -> a Path on this machine, or an ObjectPath in an object store.

Both have `/`, `name`, `stem`, `parent`, `with_name`, `exists()` and `read_bytes()`, so most code need not know which
one it holds; what differs between a disk and an object store is in `schemas.storage`.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from schemas import object_store
from schemas.errors import UserError

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
EXPECTED = "expected a path, file:///PATH, s3://BUCKET/PATH or gs://BUCKET/PATH"


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath:
    """An object, or all that begin with a prefix, which stands for a folder: protocol `s3`, key `bucket/a/b`."""

    protocol: str
    key: str

    def __truediv__(self, name: str) -> "ObjectPath":
        return replace(self, key=f"{self.key}/{name}")

    def __str__(self) -> str:
        return f"{self.protocol}://{self.key}"

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        stem, dot, _ = self.name.rpartition(".")
        return stem if dot else self.name

    @property
    def parent(self) -> "ObjectPath":
        return replace(self, key=self.key.rpartition("/")[0])

    def with_name(self, name: str) -> "ObjectPath":
        return self.parent / name

    def exists(self) -> bool:
        """True if there is an object of exactly this key. Raises MachineFault, UserError."""
        return object_store.size_of(self.protocol, self.key) is not None

    def read_bytes(self) -> bytes:
        """Return the whole object. Raises FileNotFoundError, MachineFault, UserError."""
        return object_store.read(self.protocol, self.key)


Location = Path | ObjectPath


def parse_location(text: str, *, key: str = "root") -> Location:
    """Read a location; `key` is that of the config it stands in. Raises UserError, which repeats no password."""
    match = SCHEME.fullmatch(text)
    if match is None:
        return Path(text)
    protocol, rest = match[1].lower(), match[2]
    if protocol == "file":
        if not rest.startswith("/"):
            raise UserError(f"{key} = 'file://...': a host is not read, expected file:///PATH")
        return Path(rest)
    bucket, _, path = rest.rstrip("/").partition("/")
    if "@" in bucket or ":" in bucket:
        raise UserError(
            f"{key} = '{protocol}://...': an address with a user, a password or a port, expected BUCKET/PATH alone: "
            "credentials are read from where the store's own tools have them (environment, ~/.aws, workload identity)"
        )
    if protocol not in object_store.PACKAGES:
        raise UserError(f"{key} = '{protocol}://...': {EXPECTED}")
    if not bucket or any(part in ("", ".", "..") for part in path.split("/") if path):
        raise UserError(f"{key} = '{protocol}://{rest}': {EXPECTED}, without empty parts, '.' or '..'")
    return ObjectPath(protocol, f"{bucket}/{path}".rstrip("/"))


def lies_inside(location: Location, folder: Location) -> bool:
    """True if a location is a folder or lies below it, links followed."""
    if isinstance(location, Path) and isinstance(folder, Path):
        resolved, outer = location.resolve(), folder.resolve()
        return resolved == outer or outer in resolved.parents
    if isinstance(location, ObjectPath) and isinstance(folder, ObjectPath):
        return f"{location}/".startswith(f"{folder}/")
    return False

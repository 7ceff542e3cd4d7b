"""Object store: s3 and gs through fsspec, with every error told apart: missing, not allowed, or the machine's.

Objects appear whole or not at all: small ones by one PUT, large ones by a multipart upload, completed at its end.
Requests are tried again for about a minute by the client itself, so that a store that restarts costs seconds of work.
Listings are never cached. Credentials come from where the store's own tools look for them.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.errors import MachineFault, MobiusError, UserError

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
SETTINGS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {
            "retries": {"max_attempts": 10, "mode": "standard"},
            "connect_timeout": 10,
            "read_timeout": 60,
            "max_pool_connections": 32,
        },
    },
    "gs": {},
}
BLOCK_BYTES = 8 << 20  # read ahead, where a file is read from front to back


@lru_cache(maxsize=len(PACKAGES))
def open_store(protocol: str) -> Any:
    """Return the file system of a protocol, one per process. Raises UserError if its package is not installed."""
    package = PACKAGES[protocol]
    try:
        importlib.import_module(package)
        import fsspec
    except ModuleNotFoundError as error:
        raise UserError(f"{protocol}:// needs the package {package}: pip install 'mobius[{protocol}]'") from error
    return fsspec.filesystem(protocol, use_listings_cache=False, **SETTINGS[protocol])


def read(protocol: str, key: str) -> bytes:
    """Return an object. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        return bytes(open_store(protocol).cat_file(key))


def size_of(protocol: str, key: str) -> int | None:
    """Return the size of an object in bytes, None if there is none."""
    try:
        with faults_told_apart(protocol, key):
            found = open_store(protocol).info(key)
    except FileNotFoundError:
        return None
    return int(found["size"]) if found["type"] == "file" else None


def upload(path: Path, protocol: str, key: str) -> None:
    """Make an object of a file: one PUT, or a multipart upload, which nobody sees until it is complete."""
    with faults_told_apart(protocol, key):
        open_store(protocol).put_file(str(path), key)


def copy(protocol: str, key: str, target: str) -> None:
    """Copy an object inside the store."""
    with faults_told_apart(protocol, target):
        open_store(protocol).copy(key, target)


def remove(protocol: str, keys: list[str]) -> None:
    """Remove objects; those that are not there are no error."""
    if keys:
        with faults_told_apart(protocol, keys[0]):
            try:
                open_store(protocol).rm(keys)
            except FileNotFoundError:
                for key in keys:  # some may be there
                    if size_of(protocol, key) is not None:
                        open_store(protocol).rm_file(key)


def list_folder(protocol: str, key: str) -> list[dict[str, Any]]:
    """List what lies directly in a folder: `name` (the last part), `type` (file or directory), `size`, `modified`."""
    try:
        with faults_told_apart(protocol, key):
            found = open_store(protocol).ls(key, detail=True)
    except FileNotFoundError:
        return []
    inside = [each for each in found if each["name"].rstrip("/") != key]
    return [_entry(each) for each in inside]


def _entry(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": found["name"].rstrip("/").rpartition("/")[2],
        "type": found["type"],
        "size": found["size"] or 0,
        "modified": found.get("LastModified") or found.get("mtime"),
    }


def list_below(protocol: str, key: str) -> list[str]:
    """List the keys of all objects below a folder."""
    try:
        with faults_told_apart(protocol, key):
            return cast(list[str], open_store(protocol).find(key))
    except FileNotFoundError:
        return []


def list_below_with_times(protocol: str, key: str) -> list[dict[str, Any]]:
    """List all objects below a folder: `name` (the whole key), `size`, `modified`."""
    try:
        with faults_told_apart(protocol, key):
            found = open_store(protocol).find(key, detail=True)
    except FileNotFoundError:
        return []
    return [{**_entry(each), "name": name} for name, each in found.items()]


def open_forward(protocol: str, key: str) -> BinaryIO:
    """Open an object that is read from front to back, mostly. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        file = open_store(protocol).open(key, "rb", block_size=BLOCK_BYTES, cache_type="readahead")
    return cast(BinaryIO, file)


def open_ranges(protocol: str, key: str) -> BinaryIO:
    """Open an object of which some ranges are read, each by a request of its own. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        return cast(BinaryIO, open_store(protocol).open(key, "rb", cache_type="none"))


@contextmanager
def faults_told_apart(protocol: str, key: str) -> Iterator[None]:
    """Let FileNotFoundError pass; raise UserError for what is not allowed, MachineFault for everything else.

    A message of the client is not repeated but for its first line: it may hold whole requests.
    """
    try:
        yield
    except (FileNotFoundError, MobiusError):
        raise
    except PermissionError as error:
        raise UserError(f"{protocol}://{key}: access denied: {_first_line(error)}") from error
    except Exception as error:  # each client has a tree of errors of its own
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"):
            raise UserError(f"{protocol}://{key}: no credentials found: {_first_line(error)}") from error
        raise MachineFault(f"{protocol}://{key}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]

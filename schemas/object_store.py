"""Object store: s3 and gs through fsspec, with every error told apart: missing, not allowed, or the machine's.

Objects appear whole or not at all: small ones by one PUT, large ones by a multipart upload, completed at its end.
Requests are tried again for about a minute by the client itself, so that a store that restarts costs seconds of work;
AWS_MAX_ATTEMPTS says how often, as in Amazon's own tools.
Listings are never cached. Credentials come from where the store's own tools look for them.
"""

import errno
import importlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.errors import MachineFault, MobiusError, UserError

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
READ_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"max_concurrency": 1}, "gs": {}}  # one GET, no HEAD before it
NUM_REQUESTS = 16  # at a time, where many objects are removed or copied
MAX_KEY_BYTES = 1024  # of an object's name without its bucket, in S3 and in GS
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
    settings = _s3_settings() if protocol == "s3" else {}
    return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True, **settings)


def _s3_settings() -> dict[str, Any]:
    retries = {"total_max_attempts": int(os.environ.get("AWS_MAX_ATTEMPTS", "10")), "mode": "standard"}
    timeouts = {"connect_timeout": 10, "read_timeout": 60}
    return {"config_kwargs": {"retries": retries, "max_pool_connections": 32, **timeouts}}


def read(protocol: str, key: str) -> bytes:
    """Return an object. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        return bytes(open_store(protocol).cat_file(key, **READ_OPTIONS[protocol]))


def size_of(protocol: str, key: str) -> int | None:
    """Return the size of an object in bytes, None if there is none; in S3 by one request."""
    if "/" not in key:
        return None  # a bucket
    if protocol != "s3":
        found = describe(protocol, key)
        return int(found["size"]) if found is not None and found["type"] == "file" else None
    bucket, _, name = key.partition("/")
    try:
        with faults_told_apart(protocol, key):
            return int(_call_s3("head_object", Bucket=bucket, Key=name)["ContentLength"])
    except FileNotFoundError:
        return None


def _call_s3(request: str, **parameters: str) -> Any:
    """Send one request; `info` would list a prefix whenever there is no object of the name."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]
    from s3fs.errors import translate_boto_error  # type: ignore[import-untyped]

    try:
        return open_store("s3").call_s3(request, **parameters)
    except ClientError as error:
        raise translate_boto_error(error, set_cause=False) from error


def describe(protocol: str, key: str) -> dict[str, Any] | None:
    """Return what a listing would say of an object, or of a prefix with objects below it; None if there is neither."""
    try:
        with faults_told_apart(protocol, key):
            return _entry(open_store(protocol).info(key))
    except FileNotFoundError:
        return None


def upload(path: Path, protocol: str, key: str) -> None:
    """Make an object of a file: one PUT, or a multipart upload, which nobody sees until it is complete.

    Raises UserError if there is no such bucket.
    """
    try:
        with faults_told_apart(protocol, key):
            open_store(protocol).put_file(str(path), key)
    except FileNotFoundError as error:
        if not path.exists():
            raise
        bucket = key.partition("/")[0]
        raise UserError(f"{protocol}://{key}: there is no bucket {bucket!r}, expected one that exists") from error


def copy(protocol: str, key: str, target: str) -> None:
    """Copy an object inside the store. Names are taken as they are: `*`, `?` and `[` stand for themselves."""
    with faults_told_apart(protocol, target):
        open_store(protocol).cp_file(key, target)


def remove(protocol: str, keys: list[str]) -> None:
    """Remove objects, a request for each; those that are not there are no error. Names are taken as they are.

    One request for many would hide refusals in its answer, where the client does not look.
    """
    with ThreadPoolExecutor(NUM_REQUESTS) as pool:
        for _ in pool.map(partial(_remove_one, protocol), keys):
            pass


def _remove_one(protocol: str, key: str) -> None:
    with suppress(FileNotFoundError), faults_told_apart(protocol, key):
        open_store(protocol).rm_file(key)


def list_folder(protocol: str, key: str) -> list[dict[str, Any]]:
    """List what lies directly in a folder.

    Each with `name` (the last part), `type` (file or directory), `size`, `modified` and `etag`. The object that marks
    the folder itself (its key ends in a slash) is left out.
    """
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
        "etag": found.get("ETag") or found.get("etag"),
    }


def list_below(protocol: str, key: str) -> list[str]:
    """List the keys of all objects below a folder."""
    try:
        with faults_told_apart(protocol, key):
            return cast(list[str], open_store(protocol).find(key))
    except FileNotFoundError:
        return []


def list_prefix(protocol: str, key: str, prefix: str) -> list[dict[str, Any]]:
    """List the objects of a folder, which has no folders in it, whose names begin with a prefix; as `list_folder`."""
    try:
        with faults_told_apart(protocol, key):
            found = open_store(protocol).find(key, detail=True, prefix=prefix)
    except FileNotFoundError:
        return []
    return [_entry(each) for each in found.values()]


def list_below_with_times(protocol: str, key: str) -> list[dict[str, Any]]:
    """List all objects below a folder: `name` (the whole key), `size`, `modified`."""
    try:
        with faults_told_apart(protocol, key):
            found = open_store(protocol).find(key, detail=True)
    except FileNotFoundError:
        return []
    return [{**_entry(each), "name": name} for name, each in found.items()]


def open_forward(protocol: str, key: str) -> io.BufferedReader:
    """Open an object that is read from front to back, mostly. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        file = open_store(protocol).open(key, "rb", block_size=BLOCK_BYTES, cache_type="readahead")
    return io.BufferedReader(OpenedObject(file, protocol, key))


def open_ranges(protocol: str, key: str) -> BinaryIO:
    """Open an object of which some ranges are read, each by a request of its own. Raises FileNotFoundError."""
    with faults_told_apart(protocol, key):
        file = open_store(protocol).open(key, "rb", cache_type="none")
    return cast(BinaryIO, OpenedObject(file, protocol, key))


class OpenedObject(io.RawIOBase):
    """An object that is read range by range; its errors are told apart like those of all other requests."""

    def __init__(self, file: Any, protocol: str, key: str) -> None:
        self._file, self._protocol, self._key = file, protocol, key

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def read(self, size: int = -1) -> bytes:
        with faults_told_apart(self._protocol, self._key):
            return bytes(self._file.read(size))

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


@contextmanager
def faults_told_apart(protocol: str, key: str) -> Iterator[None]:
    """Raise FileNotFoundError for what is missing, UserError for what is not allowed, MachineFault for all else.

    A message of the client is not repeated but for its first line: it may hold whole requests.
    """
    try:
        yield
    except MobiusError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{protocol}://{key}") from error
    except PermissionError as error:
        raise UserError(f"{protocol}://{key}: access denied: {_first_line(error)}") from error
    except Exception as error:  # each client has a tree of errors of its own
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"):
            raise UserError(f"{protocol}://{key}: no credentials found: {_first_line(error)}") from error
        raise MachineFault(f"{protocol}://{key}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]

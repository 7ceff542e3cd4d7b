"""Storage: what is written is first written aside, so whatever exists is finished; on a disk and in an object store.

On a disk: written beside its place, flushed, renamed. In an object store: written to a temporary file of this machine,
then uploaded; an object appears whole or not at all.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas import object_store
from schemas.errors import MachineFault
from schemas.location import Location, ObjectPath
from schemas.scratch import scratch_prefix

ASIDE_PREFIX = "."
ASIDE_NAME = re.compile(r"\..+\.\d+-[0-9a-f]{8}")
MACHINE_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
SMALL_BYTES = 2 << 20  # an object up to this size is read by one request, whatever is wanted of it


@contextlib.contextmanager
def written_aside(location: Location) -> Iterator[Path]:
    """Give a path to write to; on success it takes the place of `location`, on failure it is removed.

    Raises MachineFault for a full or failing disk, or a store that cannot be reached.
    """
    try:
        if isinstance(location, ObjectPath):
            with tempfile.TemporaryDirectory(prefix=scratch_prefix("upload")) as folder:
                aside = Path(folder) / location.name
                yield aside
                object_store.upload(aside, location.protocol, location.key)
            return
        location.parent.mkdir(parents=True, exist_ok=True)
        aside = location.with_name(f"{ASIDE_PREFIX}{location.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            yield aside
            _flush(aside)
            aside.replace(location)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{location}: {error.strerror}") from error
        raise


def write_text(location: Location, text: str) -> None:
    """Write a text file aside, then put it in its place."""
    with written_aside(location) as aside:
        aside.write_text(text, encoding="utf-8")


def read_text(location: Location, missing: str) -> str:
    """Return what a text file holds, `missing` if there is none."""
    try:
        return location.read_bytes().decode()
    except FileNotFoundError:
        return missing


def write_table(location: Location, table: pa.Table, *, uncompressed: tuple[str, ...] = ()) -> None:
    """Write a Parquet file aside, then put it in its place; `uncompressed` names columns that hold encoded media."""
    with written_aside(location) as aside:
        compression = parquet_compression(table.schema, uncompressed=uncompressed)
        pq.write_table(table, aside, compression=compression, use_dictionary=False)


def parquet_compression(schema: pa.Schema, *, uncompressed: Sequence[str] = ()) -> dict[str, str]:
    """Return how each leaf column is compressed: zstd, but for those named, which hold encoded media."""
    return {name: "NONE" if name in uncompressed else "ZSTD" for name in leaf_columns(schema)}


def leaf_columns(schema: pa.Schema) -> list[str]:
    """Return the dotted paths of a schema's leaf columns, as Parquet writers want them."""
    paths: list[str] = []

    def walk(path: str, kind: pa.DataType) -> None:
        if pa.types.is_struct(kind):
            for inner in kind:
                walk(f"{path}.{inner.name}", inner.type)
        elif pa.types.is_list(kind):
            walk(f"{path}.list.element", kind.value_type)
        else:
            paths.append(path)

    for column in schema:
        walk(column.name, column.type)
    return paths


@contextlib.contextmanager
def open_parquet(location: Location) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; of a large object only the ranges are fetched that are asked for.

    Raises FileNotFoundError, MachineFault.
    """
    if isinstance(location, ObjectPath):
        with _open_object(location) as opened, pq.ParquetFile(opened, pre_buffer=True) as file:
            yield file
    else:
        with pq.ParquetFile(location) as file:
            yield file


def read_parquet(location: Location, columns: Sequence[str], *, filters: Any = None) -> pa.Table:
    """Read some columns of a Parquet file, and of these the rows that pass `filters`, as pyarrow writes them."""
    if isinstance(location, ObjectPath):
        with _open_object(location) as opened:
            return pq.read_table(opened, columns=list(columns), filters=filters, partitioning=None)
    return pq.read_table(location, columns=list(columns), filters=filters, partitioning=None)


def list_finished(folder: Location, *, prefix: str = "", suffix: str = ".parquet") -> list[Location]:
    """Return the finished files of a folder in order of name; files being written aside are not seen.

    In a store only those are listed that begin with `prefix`; the folder must have no folders in it then.
    """
    if prefix and isinstance(folder, ObjectPath):
        names = [each["name"] for each in object_store.list_prefix(folder.protocol, folder.key, prefix)]
    else:
        names = [name for name in list_sizes(folder) if name.startswith(prefix)]
    return [folder / name for name in sorted(names) if name.endswith(suffix)]


def list_folders(folder: Location) -> list[Location]:
    """Return the folders in a folder in order of name; those written aside are not seen."""
    names = (name for name, _, is_folder in _listed(folder) if is_folder)
    return [folder / name for name in sorted(names) if not name.startswith(ASIDE_PREFIX)]


def list_asides(folder: Location, name: str) -> list[Location]:
    """Return the folders in a folder that are written aside to become, or were replaced as, `name`."""
    prefix = f"{ASIDE_PREFIX}{name}-"
    return [folder / each for each, _, is_folder in _listed(folder) if is_folder and each.startswith(prefix)]


def list_sizes(folder: Location) -> dict[str, int]:
    """Return name and size of every finished file of a folder."""
    return {name: size for name, size, is_folder in _listed(folder) if not is_folder and name[0] != ASIDE_PREFIX}


def is_empty(folder: Location) -> bool:
    """True if there is nothing in a folder, or no such folder."""
    if isinstance(folder, ObjectPath):
        return not object_store.list_folder(folder.protocol, folder.key)
    return not folder.is_dir() or not any(folder.iterdir())


def size_of(location: Location) -> int | None:
    """Return the size of a file in bytes, None if there is none."""
    if isinstance(location, ObjectPath):
        return object_store.size_of(location.protocol, location.key)
    return location.stat().st_size if location.is_file() else None


def copy_file(source: Location, target: Location) -> None:
    """Copy a file to another place of the same storage."""
    if isinstance(source, ObjectPath) and isinstance(target, ObjectPath):
        object_store.copy(source.protocol, source.key, target.key)
        return
    assert isinstance(source, Path), "from a disk to a disk, or inside one store"
    with written_aside(target) as aside:
        shutil.copyfile(source, aside)


def remove_files(locations: Sequence[Location]) -> None:
    """Remove files; those that are gone already are no error."""
    objects = [each for each in locations if isinstance(each, ObjectPath)]
    if objects:
        object_store.remove(objects[0].protocol, [each.key for each in objects])
    for location in locations:
        if isinstance(location, Path):
            location.unlink(missing_ok=True)


def remove_folder(folder: Location) -> None:
    """Remove a folder and all that is in it; one that is gone already is no error."""
    if isinstance(folder, ObjectPath):
        object_store.remove(folder.protocol, object_store.list_below(folder.protocol, folder.key))
    else:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(folder: Location, *, besides: Location | None = None) -> None:
    """Remove what killed writers left aside, anywhere below a folder; nobody may be writing there.

    besides: a folder in it where somebody may.
    """
    if isinstance(folder, ObjectPath):
        return  # an upload that was broken off is no object
    for path in folder.rglob(f"{ASIDE_PREFIX}*"):
        if ASIDE_NAME.fullmatch(path.name) and path.parent != besides:
            path.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listed(folder: Location) -> Iterator[tuple[str, int, bool]]:
    """List a folder once, in no order: name, size, and whether it is a folder itself; nothing if there is none."""
    if isinstance(folder, ObjectPath):
        for each in object_store.list_folder(folder.protocol, folder.key):
            yield each["name"], each["size"], each["type"] == "directory"
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # removed since
                    yield entry.name, entry.stat().st_size, entry.is_dir()
    except FileNotFoundError:
        return


def _open_object(location: ObjectPath) -> BinaryIO:
    size = object_store.size_of(location.protocol, location.key)
    if size is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", str(location))
    if size <= SMALL_BYTES:
        return io.BytesIO(location.read_bytes())
    return object_store.open_ranges(location.protocol, location.key)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Storage: what is written is first written aside, then renamed, so whatever exists is finished."""

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import MachineFault

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


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path to write to; on success it is flushed to disk and renamed to `path`, on failure removed.

    Raises MachineFault for a full or failing disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{ASIDE_PREFIX}{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield aside
        _flush(aside)
        aside.replace(path)
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{path}: {error.strerror}") from error
        raise
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file aside, then rename it."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_table(path: Path, table: pa.Table, *, uncompressed: tuple[str, ...] = ()) -> None:
    """Write a Parquet file aside, then rename it; `uncompressed` names columns that hold encoded media."""
    compression = {name: "NONE" if name in uncompressed else "ZSTD" for name in leaf_columns(table.schema)}
    with written_aside(path) as aside:
        pq.write_table(table, aside, compression=compression, use_dictionary=False)


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


def list_finished(folder: Path, *, suffix: str = ".parquet") -> list[Path]:
    """Return the finished files of a folder in order of name; files being written aside are not seen."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.name.endswith(suffix) and each.name[0] != ASIDE_PREFIX]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names)]


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers left aside, anywhere below a folder; nobody may be writing there."""
    for path in folder.rglob(f"{ASIDE_PREFIX}*"):
        if ASIDE_NAME.fullmatch(path.name):
            path.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

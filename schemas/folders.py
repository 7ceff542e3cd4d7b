"""Folders: a folder of several files -> written aside, flushed, renamed; what has its name is finished."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from schemas.errors import MachineFault
from schemas.scratch import is_alive
from schemas.storage import ASIDE_NAME, ASIDE_PREFIX, MACHINE_ERRNOS

MANY_FILES = 1000


@contextlib.contextmanager
def folder_written_aside(path: Path) -> Iterator[Path]:
    """Give a folder to write into; on success it takes the place of `path`, on failure it is removed.

    Raises MachineFault for a full or failing disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    aside.mkdir()
    try:
        yield aside
        _flush(aside)
        if path.exists():
            remove_folder(path)
        aside.rename(path)
        _flush_entry(path.parent)
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{path}: {error.strerror}") from error
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder so that no half of it is ever seen under its name."""
    aside = _aside(path)
    path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def remove_unfinished_folders(parent: Path) -> None:
    """Remove what killed writers left aside; nobody may be writing there."""
    for path in parent.glob(f"{ASIDE_PREFIX}*"):
        if ASIDE_NAME.fullmatch(path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def remove_abandoned(path: Path) -> None:
    """Remove what writers of this folder left aside that are gone; others may be writing beside it."""
    for aside in path.parent.glob(f"{ASIDE_PREFIX}*"):
        is_ours = ASIDE_NAME.fullmatch(aside.name) is not None
        if is_ours and aside.name.startswith(f"{ASIDE_PREFIX}{path.name}.") and aside.is_dir():
            writer = int(aside.name.rpartition(".")[2].partition("-")[0])
            if not is_alive(writer):
                shutil.rmtree(aside, ignore_errors=True)


def _aside(path: Path) -> Path:
    return path.with_name(f"{ASIDE_PREFIX}{path.name}.{os.getpid()}-{secrets.token_hex(4)}")


def _flush(folder: Path) -> None:
    """Flush all that is in a folder; many files at once, with whatever else the machine has to write."""
    if next(islice(folder.rglob("*"), MANY_FILES, None), None) is not None:
        os.sync()
        return
    for path in folder.rglob("*"):
        _flush_entry(path)
    _flush_entry(folder)


def _flush_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Folder walk: a tree of folders -> the positions of its files, sorted by their bytes."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.sources.reading import machine_fault

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Level:
    """A folder on the way: its path below the root with a slash at the end, the names left, its identity."""

    prefix: bytes
    names: Iterator[bytes]
    identity: tuple[int, int]


def walk_files(root: bytes, *, follow_links: bool) -> Iterator[tuple[bytes, OSError | None]]:
    """Yield (position, error) of everything but folders; the error is that of a folder that cannot be listed.

    In memory are the names of one folder and of those that contain it.
    Passed over: hidden folders; linked folders unless `follow_links`, and even then one that contains itself.
    Raises MachineFault if the root cannot be listed, which could be when the source was opened.
    """
    num_passed_over = 0
    try:
        levels = [_open_level(root, b"", follow_links=follow_links)]
    except OSError as error:
        raise machine_fault(error) from error
    while levels:
        name = next(levels[-1].names, None)
        if name is None:
            levels.pop()
            continue
        position = levels[-1].prefix + name
        if not name.endswith(b"/"):
            yield position, None
            continue
        try:
            inner = None if name.startswith(b".") else _open_level(root, position, follow_links=follow_links)
        except OSError as error:
            yield position, error
            continue
        if inner is None or any(inner.identity == outer.identity for outer in levels):
            num_passed_over += 1
            continue
        levels.append(inner)
    logger.info("walked the source folder, passed over %d hidden or circular folders", num_passed_over)


def _open_level(root: bytes, prefix: bytes, *, follow_links: bool) -> _Level:
    path = os.path.join(root, prefix)
    status = os.stat(path)
    with os.scandir(path) as entries:
        names = sorted(filter(None, (_sortable(entry, follow_links=follow_links) for entry in entries)))
    return _Level(prefix, iter(names), (status.st_dev, status.st_ino))


def _sortable(entry: "os.DirEntry[bytes]", *, follow_links: bool) -> bytes | None:
    """Return the name; that of a folder with a slash, so that it sorts as the paths inside it do."""
    try:
        if not entry.is_dir():
            return entry.name
        return entry.name + b"/" if follow_links or not entry.is_symlink() else None
    except OSError:
        return entry.name  # reading it will say what is wrong

"""Disk files: a path on this machine -> the files there, read one after another."""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.sources.config import SourceConfig
from pipeline.sources.container_files import is_container
from pipeline.sources.content import Content, shown
from pipeline.sources.files import Companion, FoundFile
from pipeline.sources.folder_walk import walk_files
from pipeline.sources.reading import SourceFolder, lies_in
from schemas.errors import UserError


class DiskFiles:
    """The files of a folder, or of the folder that holds the one file that source.path is."""

    buffer_bytes = 1 << 20

    def __init__(self, config: SourceConfig, path: Path) -> None:
        """Look at the path. Raises UserError if there is nothing there, OSError."""
        if "\0" in str(path) or not os.path.exists(path):
            raise UserError(f"source.path {config.path!r}: no such file or folder")
        self._config = config
        self._root = os.fsencode(path)
        self.file_name: bytes | None = None
        if path.is_dir():
            if not any(self.list_entries()):
                raise UserError(f"source.path {config.path}: an empty folder")
        elif path.is_file():
            self._root, self.file_name = os.path.split(os.path.abspath(self._root))
        else:
            raise UserError(f"source.path {config.path}: neither a file nor a folder")

    def has_file(self, name: str) -> bool:
        return os.path.isfile(self._path(os.fsencode(name)))

    def list_entries(self) -> Iterator[tuple[bytes, bool]]:
        with os.scandir(self._root) as entries:
            for entry in entries:
                yield entry.name, entry.is_dir(follow_symlinks=self._config.follow_links)

    def list_containers(self, endings: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """List them. Raises UserError if one is a link that leads out of the folder, unless `follow_links`."""
        with os.scandir(self._root) as entries:
            names = sorted(entry.name for entry in entries if is_container(entry.name, endings) and entry.is_file())
        if not self._config.follow_links:
            self._refuse_links_outside(names)
        return tuple(names)

    def walk(self) -> Iterator[FoundFile]:
        folder = self._folder()
        for position, error in walk_files(self._root, follow_links=self._config.follow_links):
            yield FoundFile(position, problem=None if error is None else folder.blame(error))

    def read(self, wanted: Iterable[tuple[FoundFile, Companion]]) -> Iterator[tuple[FoundFile, Companion, Content]]:
        folder = self._folder()
        for file, companion in wanted:
            yield file, companion, folder.read(file.position) if file.problem is None else file.problem

    def open_forward(self, name: bytes) -> io.BufferedReader:
        return open(self._path(name), "rb")

    def open_ranges(self, name: bytes) -> pa.NativeFile:
        return pa.OSFile(self._path(name))

    def stamps(self, names: tuple[bytes, ...]) -> list[str]:
        """Size and times; the last one also changes with the right to read a file."""
        found = [os.stat(self._path(name)) for name in names]
        return [f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}" for status in found]

    def blame(self, error: OSError) -> str:
        return self._folder().blame(error).detail or ""

    def _folder(self) -> SourceFolder:
        config = self._config
        return SourceFolder(self._root, follow_links=config.follow_links, max_file_bytes=config.max_file_bytes)

    def _path(self, name: bytes) -> bytes:
        return os.path.join(self._root, name)

    def _refuse_links_outside(self, names: list[bytes]) -> None:
        real_root = os.path.realpath(self._root)
        for name in names:
            if not lies_in(os.path.realpath(self._path(name)), real_root):
                raise UserError(f"{shown(name)} is a link that leads out of source.path; source.follow_links allows it")

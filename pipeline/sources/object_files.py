"""Object files: a prefix of an object store -> the files below it, many read at a time.

Names of objects are cut at their slashes as if they were paths, so the samples, their keys and their order are those of
the same files on a disk. Objects that mark a folder are no files; there are no links to follow.
"""

import errno
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from pipeline.sources.config import SourceConfig
from pipeline.sources.container_files import is_container
from pipeline.sources.content import Content, found, too_large, unreadable
from pipeline.sources.files import Companion, FoundFile
from pipeline.sources.read_ahead import read_ahead
from pipeline.sources.reading import refuse_position
from schemas import object_store
from schemas.errors import MachineFault, UserError
from schemas.location import ObjectPath

FILE = "file"
MISSING = unreadable(os.strerror(errno.ENOENT))
A_FOLDER = unreadable("a folder, not a file")


class ObjectFiles:
    """The files below a prefix, or the one object that source.path is."""

    buffer_bytes = object_store.BLOCK_BYTES

    def __init__(self, config: SourceConfig, path: ObjectPath) -> None:
        """Look at the path. Raises UserError if there is nothing there or access is denied, MachineFault."""
        self._config = config
        with self._named():
            described = object_store.describe(path.protocol, path.key)
        if described is None:
            raise UserError(f"source.path {config.path!r}: no such file or folder")
        is_file = described["type"] == FILE
        self._root = path.parent if is_file else path
        self.file_name = path.name.encode() if is_file else None

    def has_file(self, name: str) -> bool:
        with self._named():
            return (self._root / name).exists()

    def list_entries(self) -> Iterator[tuple[bytes, bool]]:
        for each in self._list(""):
            yield each["name"].encode(), each["type"] != FILE

    def list_containers(self, endings: tuple[bytes, ...]) -> tuple[bytes, ...]:
        names = (name for name, is_folder in self.list_entries() if not is_folder)
        return tuple(sorted(name for name in names if is_container(name, endings)))

    def walk(self) -> Iterator[FoundFile]:
        """Yield all files; in memory is the listing of one folder and of those that contain it.

        Passed over, as on a disk: folders whose name begins with a dot.
        """
        levels = [self._open_level("")]
        while levels:
            name, size_bytes = next(levels[-1], ("", 0))
            if not name:
                levels.pop()
            elif name.endswith("/"):
                levels.append(self._open_level(name))
            else:
                yield FoundFile(name.encode(), size_bytes)

    def read(self, wanted: Iterable[tuple[FoundFile, Companion]]) -> Iterator[tuple[FoundFile, Companion, Content]]:
        """Yield every file: sizes by one HEAD where no listing told them, bytes by one GET, 16 files at a time."""
        ahead = read_ahead(wanted, measure=lambda each: self._measure(each[0]), fetch=lambda each: self._fetch(each[0]))
        for (file, companion), content in ahead:
            yield file, companion, content

    def open_forward(self, name: bytes) -> io.BufferedReader:
        with self._named():
            return object_store.open_forward(self._root.protocol, self._key(name))

    def open_ranges(self, name: bytes) -> pa.NativeFile:
        with self._named():
            return pa.PythonFile(object_store.open_ranges(self._root.protocol, self._key(name)), mode="r")

    def stamps(self, names: tuple[bytes, ...]) -> list[str]:
        """Size, time and what the store has for a digest; of one file by one request, of several by one listing."""
        with self._named():
            if len(names) == 1:
                described = object_store.describe(self._root.protocol, self._key(names[0]))
                entries = {} if described is None else {described["name"]: described}
            else:
                entries = {each["name"]: each for each in self._list("")}
        if any(name.decode() not in entries for name in names):
            raise FileNotFoundError(errno.ENOENT, "a file has gone since the folder was listed")
        found = [entries[name.decode()] for name in names]
        return [f"{each['size']} {each['modified']} {each['etag']}" for each in found]

    def blame(self, error: OSError) -> str:
        if error.errno != errno.ENOENT:
            raise MachineFault(f"reading a source: {error}") from error
        self._check_root()
        return os.strerror(errno.ENOENT)

    def _list(self, folder: str) -> list[dict[str, Any]]:
        with self._named():
            return object_store.list_folder(self._root.protocol, f"{self._root.key}/{folder}".rstrip("/"))

    def _open_level(self, prefix: str) -> Iterator[tuple[str, int]]:
        """List a folder: paths below the root and sizes; those of folders end in a slash, as they sort."""
        names = [(each["name"] + ("" if each["type"] == FILE else "/"), each["size"]) for each in self._list(prefix)]
        shown = (each for each in names if not (each[0].startswith(".") and each[0].endswith("/")))
        return iter(sorted(((prefix + name, size) for name, size in shown), key=lambda each: each[0].encode()))

    def _measure(self, file: FoundFile) -> int | Content:
        refusal = file.problem or refuse_position(file.position)
        if refusal is not None:
            return refusal
        size_bytes = file.size_bytes
        if size_bytes is None:
            try:
                key = self._key(file.position)
            except UnicodeDecodeError:
                return unreadable("no object can have a name that is not UTF-8")
            if len(key.partition("/")[2].encode()) > object_store.MAX_KEY_BYTES:
                return unreadable(os.strerror(errno.ENAMETOOLONG))
            with self._named():
                described = object_store.describe(self._root.protocol, key)
            if described is None:
                self._check_root()
                return MISSING
            if described["type"] != FILE:
                return A_FOLDER
            size_bytes = int(described["size"])
        limit = self._config.max_file_bytes
        return size_bytes if size_bytes <= limit else too_large(size_bytes, limit)

    def _fetch(self, file: FoundFile) -> Content:
        try:
            with self._named():
                media = object_store.read(self._root.protocol, self._key(file.position))
        except FileNotFoundError:
            self._check_root()
            return MISSING
        limit = self._config.max_file_bytes
        return found(media) if len(media) <= limit else too_large(len(media), limit)  # it grew since it was measured

    def _check_root(self) -> None:
        """Raise MachineFault if there is nothing at all any more: then no single file is to blame."""
        with self._named():
            if object_store.describe(self._root.protocol, self._root.key) is None:
                raise MachineFault("the source folder itself is gone")

    def _key(self, position: bytes) -> str:
        return f"{self._root.key}/{position.decode()}".rstrip("/")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            raise UserError(f"source.path {self._config.path}: {error}") from error

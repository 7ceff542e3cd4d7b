"""Files: what every kind of source asks of the place where its files lie, a disk or an object store."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow as pa

from pipeline.sources.content import Content

Companion = TypeVar("Companion")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file by its path below source.path, in bytes; its size if that is known already, or why it cannot be read."""

    position: bytes
    size_bytes: int | None = None
    problem: Content | None = None


class Files(Protocol):
    """The files at source.path: one file, or those of a folder. Nothing is held open between two calls.

    Methods raise MachineFault where the machine or the connection is to blame, UserError where access is denied.
    """

    @property
    def file_name(self) -> bytes | None:
        """The name of the file that source.path is, None if it is a folder."""

    @property
    def buffer_bytes(self) -> int:
        """How much to read at once where a column is read bit by bit."""

    def has_file(self, name: str) -> bool:
        """True if there is a file of this name directly in the folder."""

    def list_entries(self) -> Iterator[tuple[bytes, bool]]:
        """List what lies directly in the folder, in no order: name, and whether it is a folder that is entered."""

    def list_containers(self, endings: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """List the visible files directly in the folder that end so, sorted by their bytes."""

    def walk(self) -> Iterator[FoundFile]:
        """Yield all files below the folder, sorted by the bytes of their path."""

    def read(self, wanted: Iterable[tuple[FoundFile, Companion]]) -> Iterator[tuple[FoundFile, Companion, Content]]:
        """Yield every file with what came along with it and its bytes, or why there are none, in the order asked."""

    def open_forward(self, name: bytes) -> io.BufferedReader:
        """Open a file that is read from front to back. Raises OSError."""

    def open_ranges(self, name: bytes) -> pa.NativeFile:
        """Open a file of which some ranges are read. Raises OSError."""

    def stamps(self, names: tuple[bytes, ...]) -> list[str]:
        """Return for each file a text that changes whenever the file does. Raises OSError."""

    def blame(self, error: OSError) -> str:
        """Return what is wrong with a file. Raises MachineFault if it is not the file."""

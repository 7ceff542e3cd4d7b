"""Tar stream: an archive's file, plain or compressed -> its bytes from front to back, counted, never held."""

import gzip
import io
import os
import zlib
from types import TracebackType
from typing import Protocol, Self

import pyarrow as pa

from pipeline.sources.content import shown
from pipeline.sources.reading import machine_fault
from schemas.errors import TooLarge, Unreadable

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PIECE_BYTES = 1 << 20
MIN_JUDGED_BYTES = 256 << 20


class Readable(Protocol):
    """What plain, gzip and zstd files have in common."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class BrokenArchive(Unreadable):
    """An archive cannot be read on from where it is; the members before that place are whole."""


class ArchiveTooLarge(BrokenArchive):
    """An archive holds more than the config allows to unpack; the members before that place are whole."""

    reason = TooLarge.reason


class TarStream:
    """Bytes of a .tar, .tar.gz or .tar.zst, forward only; `offset` counts the bytes of the tar itself.

    max_bytes and max_ratio bound what a compressed file may unpack to: so many bytes, and so many times its size;
    the ratio counts only beyond 256 MiB, which cost nobody more than a second.
    """

    def __init__(self, raw: io.BufferedReader, *, max_bytes: int, max_ratio: float) -> None:
        """Take over an opened file, which is closed with the stream. Raises OSError."""
        self.offset = 0
        self._raw = raw
        magic = self._raw.peek(4)[:4]
        self._file: Readable = self._raw
        packed_bytes = self._raw.seek(0, os.SEEK_END)
        self._raw.seek(0)
        self._max_bytes = min(max_bytes, max(MIN_JUDGED_BYTES, int(max_ratio * packed_bytes)))
        self._size: int | None = None
        if magic.startswith(GZIP_MAGIC):
            self._file = gzip.GzipFile(fileobj=self._raw)
        elif magic.startswith(ZSTD_MAGIC):
            self._file = pa.CompressedInputStream(self._raw, "zstd")
        else:
            self._size = packed_bytes

    def read(self, num_bytes: int) -> bytes:
        """Return that many bytes, fewer only at the end. Raises BrokenArchive if it cannot be unpacked."""
        pieces = []
        missing = num_bytes
        while missing and (piece := self._read_piece(min(missing, PIECE_BYTES))):
            pieces.append(piece)
            missing -= len(piece)
        self.offset += num_bytes - missing
        if self._size is None and self.offset > self._max_bytes:
            limits = "source.max_ratio and source.max_archive_bytes"
            raise ArchiveTooLarge(f"unpacks to more than the {self._max_bytes:,} bytes that {limits} allow")
        return b"".join(pieces)

    def read_all(self, num_bytes: int, what: str) -> bytes:
        """Return exactly that many bytes. Raises BrokenArchive if the archive ends before."""
        data = self.read(num_bytes)
        if len(data) < num_bytes:
            raise BrokenArchive(f"the archive ends at byte {self.offset:,}, inside {what}")
        return data

    def skip_to(self, offset: int, what: str) -> None:
        """Go forward to an offset, keeping nothing. Raises BrokenArchive if the archive ends before."""
        assert offset >= self.offset, "a stream goes forward only"
        if self._size is None:
            while self.offset < offset:
                if not self.read(min(offset - self.offset, PIECE_BYTES)):
                    break
        else:
            self.offset = min(offset, self._size)
            self._raw.seek(self.offset)
        if self.offset < offset:
            raise BrokenArchive(f"the archive ends at byte {self.offset:,}, inside {what}")

    def close(self) -> None:
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_piece(self, num_bytes: int) -> bytes:
        try:
            return self._file.read(num_bytes)
        except (EOFError, zlib.error) as error:
            raise BrokenArchive(f"its compressed data are damaged after byte {self.offset:,}: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise machine_fault(error) from error
            text = shown(str(error))
            raise BrokenArchive(f"its compressed data are damaged after byte {self.offset:,}: {text}") from error

"""Tar head: the first bytes of a file -> whether it is worth reading as a tar archive."""

from pipeline.sources.files import Files
from pipeline.sources.tar_header import BLOCK_BYTES, ZERO_BLOCK, HeaderError, parse_header
from pipeline.sources.tar_stream import GZIP_MAGIC, ZSTD_MAGIC


def read_head(files: Files, name: bytes) -> bytes:
    """Return the first 512 bytes of a file, or all of a shorter one. Raises OSError."""
    with files.open_forward(name) as file:
        return file.read(BLOCK_BYTES)


def looks_like_tar(head: bytes) -> bool:
    """True for a header, for the end mark of an empty archive, and for anything that gzip or zstd packed."""
    if head.startswith((GZIP_MAGIC, ZSTD_MAGIC)) or head == ZERO_BLOCK:
        return True
    try:
        return len(head) == BLOCK_BYTES and bool(parse_header(head))
    except HeaderError:
        return False

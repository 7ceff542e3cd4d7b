"""Tar members: the stream of an archive -> its members with their long names, each before its data."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from pipeline.sources.content import shown
from pipeline.sources.tar_header import (
    BLOCK_BYTES,
    ZERO_BLOCK,
    Header,
    HeaderError,
    parse_decimal,
    parse_header,
    parse_pax,
)
from pipeline.sources.tar_stream import ArchiveTooLarge, BrokenArchive, TarStream

MAX_EXTENDED_BYTES = 1 << 20
MAX_EXTENDED_IN_A_ROW = 16  # one member has four at most: long name, long link, pax, and one for all
MAX_TAIL_BYTES = 1 << 20
FILE, FOLDER, LINK = "file", "folder", "link"
KINDS = {
    b"0": FILE,
    b"\0": FILE,
    b"7": FILE,
    b"1": LINK,
    b"2": LINK,
    b"3": "device",
    b"4": "device",
    b"5": FOLDER,
    b"6": "named pipe",
    b"D": FOLDER,
    b"V": FOLDER,  # the name of a volume: like a folder, nothing to read
    b"S": "file with holes",
}
PAX_KEYS = frozenset(
    {
        b"path",
        b"linkpath",
        b"size",
        b"GNU.sparse.name",
        b"GNU.sparse.major",
        b"GNU.sparse.map",
        b"GNU.sparse.numblocks",
    }
)
WITHOUT_DATA = frozenset(b"123456V")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry; size is what its header claims, link where a link points to."""

    name: bytes
    kind: str
    size: int
    link: bytes


def read_members(stream: TarStream, *, max_members: int) -> Iterator[Member]:
    """Yield the members in order; while one is yielded, its data may be read from the stream, or not.

    Raises BrokenArchive where the archive is damaged, ends before its end mark, or has more than max_members headers.
    """
    overrides: dict[bytes, bytes] = {}
    num_extended = 0  # in a row
    for number in count():
        start = stream.offset
        block = stream.read(BLOCK_BYTES)
        if block == ZERO_BLOCK:
            return _check_tail(stream)
        if len(block) < BLOCK_BYTES:
            raise BrokenArchive(f"the archive ends at byte {stream.offset:,}, without its end mark")
        if number >= max_members:
            raise ArchiveTooLarge(f"has more than the {max_members:,} members that source.max_archive_members allows")
        try:
            header = parse_header(block)
            if header.flag in (b"L", b"K", b"x", b"X", b"g"):
                num_extended += 1
                if num_extended > MAX_EXTENDED_IN_A_ROW:
                    raise HeaderError(f"{num_extended} extended headers in a row, which speak of no member")
                overrides |= _read_extended(stream, header)
                continue
            member = _make_member(header, overrides)
        except HeaderError as error:
            what = f"the header at byte {start:,} is damaged" if start else "not a tar archive"
            raise BrokenArchive(f"{what}: {error}") from error
        overrides, num_extended = {}, 0
        while header.is_sparse_continued and stream.read_all(BLOCK_BYTES, "a list of holes")[504]:
            pass
        end = stream.offset + (0 if header.flag[0] in WITHOUT_DATA else _padded(member.size))
        yield member
        stream.skip_to(end, shown(member.name))


def _make_member(header: Header, overrides: dict[bytes, bytes]) -> Member:
    has_holes = any(key.startswith(b"GNU.sparse.") for key in overrides)
    return Member(
        name=overrides.get(b"GNU.sparse.name") or overrides.get(b"path") or overrides.get(b"L", header.name),
        kind="file with holes" if has_holes else KINDS.get(header.flag, "member of an unknown kind"),
        size=parse_decimal(overrides[b"size"]) if b"size" in overrides else header.size,
        link=overrides.get(b"linkpath") or overrides.get(b"K", header.link),
    )


def _read_extended(stream: TarStream, header: Header) -> dict[bytes, bytes]:
    """Return what an extended header says about the member after it, GNU's long name and link as L and K."""
    if header.size > MAX_EXTENDED_BYTES:
        raise HeaderError(f"an extended header of {header.size:,} bytes, {MAX_EXTENDED_BYTES:,} are allowed")
    data = stream.read_all(_padded(header.size), "an extended header")[: header.size]
    if header.flag in (b"L", b"K"):
        return {header.flag: data.partition(b"\0")[0]}
    if header.flag == b"g":  # speaks of the whole archive, hence of no name and no size
        return {}
    return {key: value for key, value in parse_pax(data).items() if key in PAX_KEYS}


def _check_tail(stream: TarStream) -> None:
    """Look behind the end mark: zeros fill up the last record, anything else would be lost in silence."""
    tail = stream.read(MAX_TAIL_BYTES)
    if tail.strip(b"\0"):
        raise BrokenArchive("after the end mark more data follow, which were not read")


def _padded(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES

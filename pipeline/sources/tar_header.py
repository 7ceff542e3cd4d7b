"""Tar headers: a block of 512 bytes -> name, size and kind of a member; pax records -> what they override.

Formats: v7, ustar, GNU and pax. Written here rather than taken from tarfile, which believes any size that an
extended header claims, takes a damaged header for the end of the archive, and keeps every member it has seen.
"""

from dataclasses import dataclass

BLOCK_BYTES = 512
ZERO_BLOCK = bytes(BLOCK_BYTES)
MAX_SIZE_BYTES = 1 << 62


class HeaderError(ValueError):
    """A block is no header; the message says what about it is wrong."""


@dataclass(frozen=True, slots=True)
class Header:
    """What one header block says. flag: the kind of member, one byte."""

    name: bytes
    size: int
    flag: bytes
    link: bytes
    is_sparse_continued: bool


def parse_header(block: bytes) -> Header:
    """Read one header block. Raises HeaderError if its checksum or a number is wrong."""
    assert len(block) == BLOCK_BYTES
    if _parse_number(block[148:156]) not in _checksums(block):
        raise HeaderError("its checksum does not match")
    name = _text(block[0:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    flag = block[156:157]
    return Header(
        name=prefix + b"/" + name if prefix else name,
        size=_parse_number(block[124:136]),
        flag=b"5" if flag == b"\0" and name.endswith(b"/") else flag,
        link=_text(block[157:257]),
        is_sparse_continued=flag == b"S" and block[482] != 0,
    )


def parse_pax(data: bytes) -> dict[bytes, bytes]:
    """Read the records `length key=value` of a pax header. Raises HeaderError."""
    values = {}
    start = 0
    while start < len(data) and data[start] != 0:
        space = data.find(b" ", start, start + 20)
        digits = data[start:space]
        if space < 0 or not digits.isdigit():
            raise HeaderError("a pax record has no length")
        end = start + int(digits)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not start < end <= len(data) or data[end - 1 : end] != b"\n" or not equals:
            raise HeaderError("a pax record does not end where it says")
        values[key] = value
        start = end
    return values


def parse_decimal(digits: bytes) -> int:
    """Read a number of a pax record. Raises HeaderError."""
    if not digits.isdigit() or len(digits) > 20 or int(digits) > MAX_SIZE_BYTES:
        raise HeaderError("a pax size is no number")
    return int(digits)


def _parse_number(field: bytes) -> int:
    """Octal digits, or big-endian binary after a first byte of 0x80."""
    if field[0] == 0x80:
        number = int.from_bytes(field[1:], "big")
    else:
        digits = _text(field).strip(b" ")
        if digits.strip(b"01234567"):
            raise HeaderError("a number is not octal")
        number = int(digits or b"0", 8)
    if number > MAX_SIZE_BYTES:
        raise HeaderError("a number is beyond all measure")
    return number


def _checksums(block: bytes) -> tuple[int, int]:
    """The sum over the block with its own checksum read as spaces; old writers added signed bytes."""
    rest = block[:148] + block[156:]
    unsigned = sum(rest) + 8 * 0x20
    if rest.isascii():  # as nearly all are; counting bytes one by one takes longer than all the rest
        return unsigned, unsigned
    return unsigned, unsigned - 256 * sum(byte >= 0x80 for byte in rest)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]

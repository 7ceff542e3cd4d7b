"""Scan a WebP: walk its RIFF chunks (WebP Container Specification)."""

import struct
from collections.abc import Iterator

from pipeline.media.scan import Scan
from schemas.errors import CorruptMedia

ANIMATION_FLAG = 0x02


def scan_webp(media: bytes) -> Scan:
    """Return the structure of a still or animated WebP. Raises CorruptMedia."""
    width = height = 0
    plays = 1
    delays_ms: list[int] = []
    is_animated = False
    for name, start, size in _chunks(media):
        if name == b"VP8X" and size >= 10:
            is_animated = bool(media[start] & ANIMATION_FLAG)
            width, height = 1 + _uint24(media, start + 4), 1 + _uint24(media, start + 7)
        elif name == b"ANIM" and size >= 6:
            plays = struct.unpack_from("<H", media, start + 4)[0]
        elif name == b"ANMF" and size >= 16 and is_animated:
            delays_ms.append(_uint24(media, start + 12))
        elif name in (b"VP8 ", b"VP8L") and not is_animated:
            delays_ms.append(0)
            if not width:
                width, height = _still_size(name, media[start : start + 10])
    if not width or not height:
        raise CorruptMedia("WebP without a picture header")
    loop_count = None if not is_animated else 0 if plays == 0 else plays - 1
    warnings = ["truncated"] if struct.unpack_from("<I", media, 4)[0] + 8 > len(media) else []
    return Scan("webp", width, height, delays_ms, loop_count, width * height, warnings=warnings)


def _chunks(media: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and size of the body of each top-level chunk."""
    position = 12
    while position + 8 <= len(media):
        name = media[position : position + 4]
        size = struct.unpack_from("<I", media, position + 4)[0]
        if position + 8 + min(size, 16) > len(media):
            return
        yield name, position + 8, size
        position += 8 + size + (size & 1)


def _uint24(media: bytes, position: int) -> int:
    return media[position] | media[position + 1] << 8 | media[position + 2] << 16


def _still_size(name: bytes, body: bytes) -> tuple[int, int]:
    if len(body) < 10:
        raise CorruptMedia("WebP picture header cut short")
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF

"""Scan a PNG or APNG: walk its chunks (PNG Specification, third edition, with acTL and fcTL)."""

import struct

from pipeline.media.scan import Scan
from schemas.errors import CorruptMedia


def scan_png(media: bytes) -> Scan:
    """Return the structure of a PNG; of an APNG, only frames of the animation count. Raises CorruptMedia."""
    if len(media) < 33 or media[12:16] != b"IHDR":
        raise CorruptMedia("PNG without an IHDR chunk")
    width, height = struct.unpack_from(">II", media, 16)
    plays: int | None = None
    delays_ms: list[int] = []
    first_picture = 0
    is_whole = False
    position = 8
    while position + 8 <= len(media):
        size, name = struct.unpack_from(">I4s", media, position)
        body = position + 8
        if body + size > len(media):
            break
        if name == b"acTL" and size >= 8:
            plays = struct.unpack_from(">I", media, body + 4)[0]
        elif name == b"fcTL" and size >= 26 and plays is not None:
            numerator, denominator = struct.unpack_from(">HH", media, body + 20)
            delays_ms.append(round(1000 * numerator / (denominator or 100)))
        elif name == b"IDAT" and plays is not None and not delays_ms:
            first_picture = 1  # the default image stands before the animation and is no part of it
        elif name == b"IEND":
            is_whole = True
            break
        position = body + size + 4
    if not delays_ms:
        delays_ms, plays, first_picture = [0], None, 0
    loop_count = None if plays is None else 0 if plays == 0 else plays - 1
    warnings = [] if is_whole else ["truncated"]
    return Scan(
        "png",
        width,
        height,
        delays_ms,
        loop_count,
        width * height,
        first_picture=first_picture,
        warnings=warnings,
    )

"""Scan a GIF: walk its blocks (GIF89a specification, section 11 onwards) without touching the LZW data.

Lenient where players are: unknown bytes between blocks are skipped, a missing trailer is only a warning.
"""

import re
import struct
from dataclasses import dataclass, field

from pipeline.media.scan import MAX_SCANNED_FRAMES, FrameRect, Scan
from schemas.errors import CorruptMedia

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOP_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
HEADER_BYTES = 13
BLOCK_START = re.compile(rb"[\x21\x2c\x3b]")


@dataclass(slots=True)
class _Walk:
    """What has been seen so far, and the graphic control that waits for its frame."""

    delays_ms: list[int] = field(default_factory=list)
    rects: list[FrameRect] = field(default_factory=list)
    loop_count: int | None = None
    has_transparency: bool = False
    next_delay_ms: int = 0
    next_disposal: int = 0
    warnings: dict[str, None] = field(default_factory=dict)


def scan_gif(media: bytes) -> Scan:
    """Return the structure of a GIF. Raises CorruptMedia if not even its header is whole."""
    if len(media) < HEADER_BYTES:
        raise CorruptMedia(f"GIF header cut short: {len(media)} bytes, need {HEADER_BYTES}")
    width, height, flags = struct.unpack_from("<HHB", media, 6)
    start = HEADER_BYTES + _palette_bytes(flags)
    walk = _Walk()
    try:
        end = _walk_blocks(media, start, walk)
    except IndexError:
        end = len(media)
        walk.warnings["truncated"] = None
    if end < len(media):
        walk.warnings["bytes_after_trailer"] = None
    if (width == 0 or height == 0) and walk.rects:
        walk.warnings["no_canvas"] = None
        width, height = walk.rects[0].width, walk.rects[0].height
    extent_width = max([width, *(rect.left + rect.width for rect in walk.rects)])
    extent_height = max([height, *(rect.top + rect.height for rect in walk.rects)])
    if (extent_width, extent_height) != (width, height):
        walk.warnings["frame_outside_canvas"] = None
    return Scan(
        format="gif",
        width=width,
        height=height,
        delays_ms=walk.delays_ms,
        loop_count=walk.loop_count,
        extent_pixels=extent_width * extent_height,
        rects=walk.rects,
        is_opaque=not walk.has_transparency,
        warnings=list(walk.warnings),
    )


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _walk_blocks(media: bytes, position: int, walk: _Walk) -> int:
    """Walk to the trailer and return the position after it; IndexError means that the file ends too early."""
    size = len(media)
    while position < size:
        block = media[position]
        if block == IMAGE:
            position = _take_image(media, position, walk)
        elif block == EXTENSION:
            position = _take_extension(media, position, walk)
        elif block == TRAILER:
            return position + 1
        else:
            walk.warnings["bad_block"] = None
            found = BLOCK_START.search(media, position)
            position = found.start() if found else size
        if len(walk.delays_ms) >= MAX_SCANNED_FRAMES:
            return size
    walk.warnings["no_trailer"] = None
    return size


def _take_image(media: bytes, position: int, walk: _Walk) -> int:
    if position + 10 > len(media):
        raise IndexError(position)
    left, top, width, height, flags = struct.unpack_from("<HHHHB", media, position + 1)
    walk.rects.append(FrameRect(left, top, width, height, walk.next_disposal))
    walk.delays_ms.append(walk.next_delay_ms)
    walk.next_delay_ms = walk.next_disposal = 0
    return _skip_sub_blocks(media, position + 10 + _palette_bytes(flags) + 1)


def _take_extension(media: bytes, position: int, walk: _Walk) -> int:
    label, size = media[position + 1], media[position + 2]
    body = position + 3
    if label == GRAPHIC_CONTROL and size >= 4:
        flags, delay_cs = struct.unpack_from("<BH", media[body : body + 3].ljust(3, b"\0"))
        walk.next_delay_ms = delay_cs * 10
        walk.next_disposal = flags >> 2 & 7
        walk.has_transparency |= bool(flags & 1)
    elif label == APPLICATION and walk.loop_count is None and media[body : body + 11] in LOOP_APPLICATIONS:
        data = media[body + 11 : body + 15]
        if len(data) == 4 and data[0] >= 3 and data[1] == 1:
            walk.loop_count = data[2] | data[3] << 8
    return _skip_sub_blocks(media, position + 2)


def _skip_sub_blocks(media: bytes, position: int) -> int:
    size = media[position]
    while size:
        position += size + 1
        size = media[position]
    return position + 1

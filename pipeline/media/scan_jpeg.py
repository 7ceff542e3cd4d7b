"""Scan a JPEG: walk its markers to the frame header (ITU T.81, annex B)."""

import struct

from pipeline.media.scan import Scan
from schemas.errors import CorruptMedia

STANDALONE = {0x01, *range(0xD0, 0xDA)}
FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def scan_jpeg(media: bytes) -> Scan:
    """Return the size a JPEG declares. Raises CorruptMedia."""
    position = 2
    while position + 4 <= len(media):
        if media[position] != 0xFF:
            position = media.find(b"\xff", position) % (len(media) + 1)
            continue
        marker = media[position + 1]
        if marker in STANDALONE or marker == 0xFF:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in FRAME_HEADERS and position + 9 <= len(media):
            height, width = struct.unpack_from(">HH", media, position + 5)
            return Scan("jpeg", width, height, [0], None, width * height)
        position += 2 + struct.unpack_from(">H", media, position + 2)[0]
    raise CorruptMedia("JPEG without a frame header")

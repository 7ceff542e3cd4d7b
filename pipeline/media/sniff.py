"""Sniff: the first bytes of a file -> its format, never its name."""

from typing import Literal

from schemas.errors import UnknownFormat

Format = Literal["gif", "png", "webp", "jpeg", "mp4", "webm"]

EXPECTED = "GIF, PNG, APNG, WebP, JPEG, mp4 or webm"


def sniff_format(media: bytes) -> Format:
    """Return the format that the magic bytes promise. Raises UnknownFormat."""
    head = media[:64]
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head:
        return "webm"
    if not media:
        raise UnknownFormat(f"empty file, expected {EXPECTED}")
    raise UnknownFormat(f"starts with {head[:12]!r}, expected {EXPECTED}")

"""Content: what one position of a source holds, its bytes or the reason why there are none."""

from dataclasses import dataclass

from pipeline.sources.readable import readable
from schemas.errors import OutsideSource, TooLarge, Unreadable
from schemas.sample import Sample

MAX_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes found, or None with a reason code and a sentence; size_bytes is 0 where nobody knows it."""

    media: bytes | None
    size_bytes: int
    reason: str | None = None
    detail: str | None = None


def found(media: bytes) -> Content:
    return Content(media, len(media))


def unreadable(detail: str) -> Content:
    return Content(None, 0, Unreadable.reason, detail)


def outside_source(detail: str) -> Content:
    return Content(None, 0, OutsideSource.reason, detail)


def broken_archive(error: Unreadable) -> Content:
    return Content(None, 0, error.reason, str(error))


def too_large(size_bytes: int, max_bytes: int) -> Content:
    detail = f"{size_bytes:,} bytes, source.max_file_bytes allows {max_bytes:,}"
    return Content(None, size_bytes, TooLarge.reason, detail)


def shown(name: bytes | str) -> str:
    """Return a name as it may stand in a sentence: readable, in quotes, not endless."""
    text = readable(name)
    return f"'{text}'" if len(text) <= MAX_SHOWN_CHARS else f"'{text[:MAX_SHOWN_CHARS]}...'"


def make_sample(
    content: Content, position: bytes, *, source: str, key: str, label: str | None, extra: str = "{}"
) -> Sample:
    """Return the sample that stands at a position of a named source."""
    return Sample(
        key=key,
        source=source,
        path=readable(position),
        label=label,
        extra=extra,
        media=content.media,
        size_bytes=content.size_bytes,
        reason=content.reason,
        detail=content.detail,
    )

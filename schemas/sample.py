"""A sample: one file of the source, from where it lies to the bytes it holds."""

import hashlib
from dataclasses import dataclass

KEY_HEX_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """One input as ingested.

    key: 32 hex digits from the source position (source name, path or member, ordinal), never from the content.
    path: where it lies inside the source, for people; bytes that are no UTF-8 are escaped.
    label: the emotion tag, None if the source has none.
    extra: any further columns of the source as a JSON object.
    media: the encoded bytes as found, None if they could not be read; then `reason` and `detail` say why.
    """

    key: str
    source: str
    path: str
    label: str | None
    extra: str
    media: bytes | None
    size_bytes: int
    reason: str | None = None
    detail: str | None = None


def sample_key(source: str, position: bytes, ordinal: int = 0) -> str:
    """Return the key of the `ordinal`-th mention of one position in a named source."""
    identity = b"\0".join([source.encode("utf-8", "surrogateescape"), position, str(ordinal).encode()])
    return hashlib.sha256(identity).hexdigest()[:KEY_HEX_DIGITS]

"""Folder names: a label, which anybody may have written -> a name that every file system takes, for what it says."""

import hashlib
import re
import unicodedata

UNLABELLED = "unlabelled"
MAX_BYTES = 80
UNSAFE = frozenset('/\\:*?"<>|')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|metadata|unlabelled)(\..*)?", re.IGNORECASE)
HASH_DIGITS = 8


def folder_name(label: str | None) -> str:
    """Return the label itself if it is harmless; else what is left of it, and a hash that tells it from others.

    Harmless: printable, no path, no leading or trailing dot or space, no device of Windows, at most 80 bytes.
    """
    if label is None:
        return UNLABELLED
    plain = unicodedata.normalize("NFC", label)
    plain = "".join(each if each.isprintable() and each not in UNSAFE else "_" for each in plain)
    plain = plain.encode()[:MAX_BYTES].decode(errors="ignore").strip("._ ")
    if plain == label and plain and not RESERVED.fullmatch(plain):
        return plain
    return f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:HASH_DIGITS]}".lstrip("-")

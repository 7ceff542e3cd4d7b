"""Positions: where a sample lies inside its source, as the bytes that its key is made from."""

from array import array
from hashlib import blake2b

FIRST_TABLE_SLOTS = 1 << 10


def tidy_path(path: bytes) -> bytes:
    """Drop `.` and empty components, so that `./a//b` is `a/b`; an absolute path stays absolute."""
    tidy = b"/".join(part for part in path.split(b"/") if part not in (b"", b"."))
    return b"/" + tidy if path.startswith(b"/") else tidy


def leads_outside(path: bytes) -> bool:
    """True for a path that is absolute or climbs with `..`, wherever it may end."""
    return path.startswith(b"/") or b".." in path.split(b"/")


def top_folder(path: bytes) -> bytes | None:
    """Return the first component of a path that has more than one: the label of a file without another."""
    first, slash, _ = path.partition(b"/")
    return first if slash and first else None


def member_position(archive: bytes, member: bytes) -> bytes:
    """Return `archive!member`, with `!` and `%` of the archive's name percent-escaped: only one pair fits."""
    return _escaped(archive) + b"!" + member


def cut_position(archive: bytes) -> bytes:
    """Return the position of what is missing where an archive ends too early."""
    return _escaped(archive) + b"#truncated"


def row_position(file: bytes, row: int) -> bytes:
    """Return `file#row`, rows counted from 0 over the whole file."""
    return file + b"#%d" % row


def _escaped(archive: bytes) -> bytes:
    return archive.replace(b"%", b"%25").replace(b"!", b"%21")


class Mentions:
    """Counts how often each position was named, in 12 to 24 bytes per position.

    An open-addressed table of 64-bit digests. If two positions ever share a digest, the second has ordinal 1
    instead of 0: still the same in every run, still a key of its own.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * FIRST_TABLE_SLOTS))  # 0 = free
        self._num_used = 0
        self._repeats: dict[int, int] = {}  # by digest too: a name may be a megabyte long

    def count(self, position: bytes) -> int:
        """Return how often this position was counted before: the ordinal of this mention."""
        digest = int.from_bytes(blake2b(position, digest_size=8).digest(), "little") or 1
        if _put(self._slots, digest):
            self._num_used += 1
            if 3 * self._num_used > 2 * len(self._slots):
                self._slots = _doubled(self._slots)
            return 0
        self._repeats[digest] = self._repeats.get(digest, 0) + 1
        return self._repeats[digest]


def _put(slots: "array[int]", digest: int) -> bool:
    mask = len(slots) - 1
    place = digest & mask
    while slots[place]:
        if slots[place] == digest:
            return False
        place = (place + 1) & mask
    slots[place] = digest
    return True


def _doubled(slots: "array[int]") -> "array[int]":
    wider = array("Q", bytes(16 * len(slots)))
    for digest in slots:
        if digest:
            _put(wider, digest)
    return wider

"""Free memory: what /proc and the control groups of a process say -> bytes that it may still take."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECLAIMABLE = ("inactive_file", "active_file", "total_inactive_file", "total_active_file")  # of version 2 and 1
UNLIMITED_BYTES = 1 << 60  # version 1 writes a number near 2 ** 63 where there is no limit


@dataclass(frozen=True, slots=True)
class MemoryRoom:
    """What is free, out of how much."""

    free_bytes: int
    total_bytes: int


def memory_room(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> MemoryRoom | None:
    """Return the narrowest room: the machine's, or that of a control group; None where nothing tells."""
    rooms = [*_of_machine(proc / "meminfo"), *_of_groups(proc / "self" / "cgroup", cgroups)]
    return min(rooms, key=lambda room: room.free_bytes, default=None)


def _of_machine(meminfo: Path) -> Iterator[MemoryRoom]:
    try:
        lines = (line.split() for line in meminfo.read_text(encoding="ascii").splitlines())
        kilobytes = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
        yield MemoryRoom(kilobytes["MemAvailable"] << 10, kilobytes["MemTotal"] << 10)
    except (OSError, ValueError, KeyError):
        return


def _of_groups(membership: Path, cgroups: Path) -> Iterator[MemoryRoom]:
    """Look at the group of this process and those around it, in both versions of the interface."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
        top = cgroups / "memory" if controllers else cgroups
        inner = top / path.strip("/")
        for folder in (inner, *inner.parents):
            yield from _of_group(folder, *names)
            if folder == top:
                break


def _of_group(folder: Path, limit_name: str, usage_name: str) -> Iterator[MemoryRoom]:
    """Count pages of files as free: the kernel takes them back before it ends a process."""
    try:
        limit = int((folder / limit_name).read_text())  # "max": no number, no limit
        usage = int((folder / usage_name).read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return
    if limit < UNLIMITED_BYTES:
        version_2, version_1 = RECLAIMABLE[:2], RECLAIMABLE[2:]
        names = version_1 if version_1[0] in stat else version_2
        yield MemoryRoom(limit - usage + sum(int(stat.get(name, 0)) for name in names), limit)

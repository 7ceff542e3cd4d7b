"""Room: what is about to be written, and what must stay free for others -> go on, or NoRoom before the disk is full."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from schemas.config import StrictConfig
from schemas.errors import NoRoom
from schemas.free_memory import MemoryRoom, memory_room
from schemas.location import Location, ObjectPath
from schemas.memory import Memory

SMALL_SHARE = 0.05  # of a small disk, or memory, no more than this stays free


class ReserveConfig(StrictConfig):
    """What stays free for whoever else uses the machine; of a small one, a twentieth."""

    disk: Memory = 1 << 30  # of the root's disk, or where files wait for their upload
    memory: Memory = 256 << 20  # of the machine, or of the container's limit

    def require(
        self, location: Location, size_bytes: int, *, measure: Callable[[], MemoryRoom | None] = memory_room
    ) -> None:
        """Look before so many bytes are written to a location. Raises NoRoom."""
        self._require_disk(location, size_bytes)
        room = measure()
        if room is not None and room.free_bytes < min(self.memory, SMALL_SHARE * room.total_bytes):
            raise NoRoom(
                f"{_shown(room.free_bytes)} of memory are free, engine.reserve.memory keeps "
                f"{_shown(min(self.memory, SMALL_SHARE * room.total_bytes))}"
            )

    def _require_disk(self, location: Location, size_bytes: int) -> None:
        folder = _folder_on_disk(location)
        disk = shutil.disk_usage(folder)
        reserve = min(self.disk, SMALL_SHARE * disk.total)
        if disk.free < size_bytes + reserve:
            raise NoRoom(
                f"{folder}: {_shown(disk.free)} of its disk are free, {_shown(size_bytes)} are to be written and "
                f"engine.reserve.disk keeps {_shown(reserve)}"
            )


def _folder_on_disk(location: Location) -> Path:
    """Return a folder that exists on the disk where a file for this location is written first."""
    if isinstance(location, ObjectPath):
        return Path(tempfile.gettempdir())
    return next(folder for folder in (location, *location.absolute().parents) if folder.is_dir())


def _shown(size_bytes: float) -> str:
    return f"{size_bytes / (1 << 20):,.1f} MiB"

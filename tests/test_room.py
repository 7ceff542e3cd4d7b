"""Room: whoever would leave too little for others is told before anything is written."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.answers import FlushConfig, PartWriter
from schemas.errors import MachineFault, NoRoom
from schemas.free_memory import MemoryRoom, memory_room
from schemas.location import ObjectPath
from schemas.room import ReserveConfig
from schemas.storage import list_finished

GIB = 1 << 30
SCHEMA = pa.schema([("key", pa.string()), ("clean_media", pa.binary())])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "mobius-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes root and the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_part_is_refused_before_the_disk_is_full_and_others_can_still_write(small_disk: Path) -> None:
    reserve = ReserveConfig(disk=GIB, memory=0)  # of 8 MB: a twentieth
    parts = PartWriter(small_disk, "00000", SCHEMA, FlushConfig(samples=1), reserve)
    with pytest.raises(NoRoom, match=r"engine\.reserve\.disk keeps 0\.4 MiB"):
        for number in range(20):
            parts.add({"key": f"k{number}", "clean_media": os.urandom(1 << 20)})
    assert len(list_finished(small_disk)) >= 5, "as long as there was room, parts were written"
    assert not list(small_disk.glob(".*")), "nothing half-written"
    (small_disk / "of-somebody-else").write_bytes(bytes(300 << 10))


def test_what_is_to_be_written_counts_as_taken(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    reserve = ReserveConfig(disk=0, memory=0)
    reserve.require(tmp_path / "new" / "file", 1)
    with pytest.raises(MachineFault, match="are to be written"):
        reserve.require(tmp_path / "new" / "file", 2 * free)
    with pytest.raises(NoRoom):  # an upload is first written to this machine's disk
        reserve.require(ObjectPath("s3", "bucket/file"), 1 << 60)


def test_memory_below_the_reserve_is_refused_with_both_numbers(tmp_path: Path) -> None:
    reserve = ReserveConfig(disk=0, memory=GIB)
    reserve.require(tmp_path, 1, measure=lambda: MemoryRoom(2 * GIB, 100 * GIB))
    with pytest.raises(NoRoom, match=r"512\.0 MiB of memory are free, engine\.reserve\.memory keeps 1,024\.0 MiB"):
        reserve.require(tmp_path, 1, measure=lambda: MemoryRoom(GIB // 2, 100 * GIB))
    reserve.require(tmp_path, 1, measure=lambda: MemoryRoom(GIB // 2, GIB))  # a small machine keeps a twentieth
    reserve.require(tmp_path, 1, measure=lambda: None)  # nothing tells: nothing is refused


def test_the_narrowest_of_machine_and_control_groups_counts(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n")
    assert memory_room(proc, groups) == MemoryRoom(4 * GIB, 8 * GIB)
    (proc / "self" / "cgroup").write_text("0::/pod/box\n")
    box = groups / "pod" / "box"
    box.mkdir(parents=True)
    for folder, limit in ((box, "max"), (box.parent, str(3 * GIB))):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{2 * GIB}\n")
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 2}\nactive_file {GIB // 4}\n")
    assert memory_room(proc, groups) == MemoryRoom(GIB + GIB // 2 + GIB // 4, 3 * GIB)


def test_control_groups_of_the_first_version_are_read_too(tmp_path: Path) -> None:
    proc, group = tmp_path / "proc", tmp_path / "cgroup" / "memory" / "docker"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("4:memory:/docker\n3:cpu:/\n")
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    (group / "memory.usage_in_bytes").write_text(f"{GIB // 2}\n")
    (group / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {GIB // 4}\ntotal_active_file 0\n")
    assert memory_room(proc, tmp_path / "cgroup") == MemoryRoom(GIB // 2 + GIB // 4, GIB)


def test_a_reserve_is_written_with_a_unit() -> None:
    assert ReserveConfig.model_validate({"disk": "2GiB", "memory": "512MB"}).disk == 2 * GIB
    with pytest.raises(ValidationError, match="is no amount of memory, expected a number with a unit"):
        ReserveConfig.model_validate({"disk": "much"})

"""What covers what: a part goes only if every row of it is in another, to the same microsecond of work."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.answers import part_schema
from pipeline.garbage import Needed, find_garbage, remove_garbage
from pipeline.root import DatasetRoot
from schemas.answers import ImageCaptionAnswer
from schemas.errors import Stopped
from schemas.location import ObjectPath
from schemas.manifest import DatasetManifest
from schemas.scratch import orphaned_folders, scratch_prefix
from schemas.storage import remove_unfinished, write_table

FINGERPRINT = "0123456789ab"
NEEDED = Needed(frozenset({FINGERPRINT}), is_settled=True)
FOLDER = f"image_caption-{FINGERPRINT}"


def rows(*numbers: int, seconds: float = 0.1) -> list[dict[str, Any]]:
    status = {"status": "ok", "reason": None, "detail": None, "wants_video": False, "seconds": seconds}
    status |= {"waited_seconds": 0.0, "cpu_seconds": 0.1, "tokens": None}
    own = {"image_caption": "a caption", "image_caption_model": "m"}
    return [{"key": f"k{number}", **status, **own} for number in numbers]


def write_part(root: Path, name: str, answers: list[dict[str, Any]]) -> Path:
    path = root / "stages" / FOLDER / name
    write_table(path, pa.Table.from_pylist(answers, part_schema(ImageCaptionAnswer)))
    return path


def names(root: Path, *, needed: Needed = NEEDED, written_before: float | None = None) -> set[str]:
    before = time.time() + 1 if written_before is None else written_before
    return {each.place.name for each in find_garbage(DatasetRoot(root), needed, written_before=before)}


@pytest.fixture
def nothing_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for temporary folders that other processes of this machine do not use."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_parts_left_by_a_kill_in_the_middle_of_joining_are_garbage(tmp_path: Path, nothing_temporary: Path) -> None:
    write_part(tmp_path, "00000-0000000000000001-aaaaaa-00002.parquet", rows(1, 2))
    write_part(tmp_path, "00000-0000000000000002-aaaaaa-00001.parquet", rows(3))
    write_part(tmp_path, "00000-0000000000000001-bbbbbb-00003.parquet", rows(1, 2, 3))
    write_part(tmp_path, "00001-0000000000000001-aaaaaa-00001.parquet", rows(9))
    assert names(tmp_path) == {
        "00000-0000000000000001-aaaaaa-00002.parquet",
        "00000-0000000000000002-aaaaaa-00001.parquet",
    }


def test_of_two_equal_parts_one_stays(tmp_path: Path, nothing_temporary: Path) -> None:
    for token in ("aaaaaa", "bbbbbb"):
        write_part(tmp_path, f"00000-0000000000000001-{token}-00002.parquet", rows(1, 2))
    assert names(tmp_path) == {"00000-0000000000000001-bbbbbb-00002.parquet"}


def test_a_sample_that_two_workers_computed_is_no_doubled_row(tmp_path: Path, nothing_temporary: Path) -> None:
    write_part(tmp_path, "00000-0000000000000001-aaaaaa-00001.parquet", rows(1, seconds=0.1))
    write_part(tmp_path, "00000-0000000000000002-aaaaaa-00002.parquet", rows(1, 2, seconds=0.2))
    assert names(tmp_path) == set()


def test_folders_of_other_fingerprints_go_and_foreign_names_stay(tmp_path: Path, nothing_temporary: Path) -> None:
    path = write_part(tmp_path, "00000-0000000000000001-aaaaaa-00001.parquet", rows(1))
    (tmp_path / "stages" / "my notes").mkdir()
    (tmp_path / "stages" / "my notes" / "file").write_text("of a person")
    assert names(tmp_path) == set()
    unread = Needed(frozenset({"ba9876543210"}), is_settled=True)
    assert names(tmp_path, needed=unread) == {FOLDER}
    assert names(tmp_path, needed=unread, written_before=path.stat().st_mtime - 1) == set(), "too young"
    remove_garbage(find_garbage(DatasetRoot(tmp_path), unread, written_before=time.time() + 1))
    assert [each.name for each in (tmp_path / "stages").iterdir()] == ["my notes"]


def test_without_a_manifest_nobody_knows_which_shards_count(tmp_path: Path, nothing_temporary: Path) -> None:
    root = DatasetRoot(tmp_path)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "00000.parquet").write_bytes(b"a shard")
    assert names(tmp_path) == set()
    root.write_manifest(DatasetManifest())
    assert names(tmp_path) == {"00000.parquet"}


def test_who_may_delete_no_more_deletes_no_more(tmp_path: Path, nothing_temporary: Path) -> None:
    for number in range(2):
        write_part(tmp_path, f"0000{number}-0000000000000001-aaaaaa-00001.parquet", rows(number))
        write_part(tmp_path, f"0000{number}-0000000000000001-bbbbbb-00001.parquet", rows(number))
    garbage = find_garbage(DatasetRoot(tmp_path), NEEDED, written_before=time.time() + 1)
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise Stopped("another run has taken over")

    with pytest.raises(Stopped):
        remove_garbage(garbage, check=check)
    assert [each.place.exists() for each in garbage] == [False, True]


def test_what_people_decided_is_no_garbage_nor_what_they_may_be_writing(
    tmp_path: Path, nothing_temporary: Path
) -> None:
    root = DatasetRoot(tmp_path)
    (tmp_path / "review").mkdir()
    for name, age in (("0000000000000001-aaaaaaaaaaaa.parquet", 9e4), (".b.parquet.1-00000000", 60)):
        (tmp_path / "review" / name).write_bytes(b"of a person")
        os.utime(tmp_path / "review" / name, (time.time() - age,) * 2)
    assert names(tmp_path) == set()
    remove_unfinished(tmp_path, besides=root.review)
    assert len(list((tmp_path / "review").iterdir())) == 2
    os.utime(tmp_path / "review" / ".b.parquet.1-00000000", (time.time() - 9e4,) * 2)
    assert names(tmp_path) == {".b.parquet.1-00000000"}


def test_in_a_store_the_same_is_found_and_removed(bucket: Path, nothing_temporary: Path) -> None:
    """The server keeps objects as files: what the store lists is what lies there."""
    root = bucket / "dataset"
    write_part(root, "00000-0000000000000001-aaaaaa-00001.parquet", rows(1))
    write_part(root, "00000-0000000000000001-bbbbbb-00002.parquet", rows(1, 2))
    (root / "runs").mkdir()
    for name, age in (("old.lease", 3600), ("held.lease", 5), ("old.stop", 3600)):
        (root / "runs" / name).write_text("{}")
        os.utime(root / "runs" / name, (time.time() - age,) * 2)
    dataset = DatasetRoot(ObjectPath("s3", f"{bucket.name}/dataset"))
    garbage = find_garbage(dataset, NEEDED, written_before=time.time() + 1)
    expected = {"00000-0000000000000001-aaaaaa-00001.parquet", "old.lease", "old.stop"}
    assert {each.place.name for each in garbage} == expected
    assert all(each.size_bytes == sum(found.size_bytes for found in each.files) > 0 for each in garbage)
    remove_garbage(garbage)
    left = {path.name for path in root.rglob("*") if path.is_file()}
    assert left == {"00000-0000000000000001-bbbbbb-00002.parquet", "held.lease"}


def test_temporary_folders_of_dead_processes_are_garbage_and_those_of_living_ones_are_not(
    tmp_path: Path, nothing_temporary: Path
) -> None:
    mine = tempfile.mkdtemp(prefix=scratch_prefix("tables"))
    program = "import tempfile, schemas.scratch as s; print(tempfile.mkdtemp(prefix=s.scratch_prefix('upload')))"
    environment = {**os.environ, "TMPDIR": str(nothing_temporary)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    dead = Path(done.stdout.strip())
    (dead / "half.parquet").write_bytes(bytes(1000))
    assert list(orphaned_folders()) == [dead]
    assert names(tmp_path / "root") == {dead.name}
    remove_garbage(find_garbage(DatasetRoot(tmp_path / "root"), NEEDED, written_before=time.time() + 1))
    assert not dead.exists()
    assert Path(mine).exists()

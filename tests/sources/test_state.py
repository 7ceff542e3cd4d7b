"""State: it stays while nothing was added to a source, and changes with whatever could bring new samples."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import UserError
from tests.s3 import S3Server


def state_of(path: Path | str, **settings: object) -> str | None:
    return open_source(SourceConfig.model_validate({"path": str(path), **settings})).state()


@pytest.fixture
def listed(three: Path) -> Path:
    (three / "labels.jsonl").write_text(json.dumps({"path": "a.gif", "label": "x"}) + "\n")
    return three


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("a", "b"):
        pq.write_table(pa.table({"media": [name.encode()]}), folder / f"{name}.parquet")
    return folder


def test_label_folders_have_to_be_walked(three: Path) -> None:
    assert state_of(three) is None


def test_a_label_file_that_grows_is_another_state_and_a_file_that_is_not_listed_is_none(listed: Path) -> None:
    before = state_of(listed)
    (listed / "further.gif").write_bytes(b"")
    assert before is not None
    assert state_of(listed) == before
    with (listed / "labels.jsonl").open("a") as file:
        file.write(json.dumps({"path": "further.gif"}) + "\n")
    assert state_of(listed) != before


def test_containers_that_are_added_replaced_or_removed_are_another_state(tables: Path) -> None:
    seen = [state_of(tables), state_of(tables / "a.parquet")]
    assert state_of(tables) == seen[0]
    pq.write_table(pa.table({"media": [b"c"]}), tables / "c.parquet")
    seen.append(state_of(tables))
    os.utime(tables / "a.parquet", ns=(1, 1))
    seen.append(state_of(tables))
    (tables / "b.parquet").unlink()
    seen.append(state_of(tables))
    assert len(set(seen)) == 5


def test_an_archive_that_could_not_be_read_is_another_state_once_it_can(
    open_folder: Path, add_member: Callable
) -> None:
    """Neither its size nor its time of writing changes with the right to read it."""
    with tarfile.open(open_folder / "a.tar", "w") as archive:
        add_member(archive, "a.gif", b"a")
    os.chmod(open_folder / "a.tar", 0)
    before = state_of(open_folder)
    os.chmod(open_folder / "a.tar", 0o644)
    assert state_of(open_folder) != before


@pytest.mark.parametrize(
    "changed", [{"max_file_bytes": 7}, {"label_column": "path"}, {"follow_links": True}, {"name": "n"}]
)
def test_a_config_that_reads_otherwise_is_another_state(listed: Path, changed: dict[str, object]) -> None:
    assert state_of(listed, **changed) != state_of(listed)


def test_another_kind_of_the_same_files_is_another_state(listed: Path, tables: Path) -> None:
    shutil.copyfile(tables / "a.parquet", listed / "a.parquet")
    assert state_of(listed, kind="parquet") != state_of(listed, kind="labels")


def test_in_a_store_states_stay_and_change_alike(bucket: Path, s3: S3Server, listed: Path, tables: Path) -> None:
    shutil.copytree(listed, bucket / "listed", ignore=shutil.ignore_patterns("tables"))
    shutil.copytree(tables, bucket / "tables")
    url = f"s3://{bucket.name}"
    places = (f"{url}/listed", f"{url}/tables", f"{url}/tables/a.parquet")
    before = [state_of(place) for place in places]
    assert [state_of(place) for place in places] == before
    with (bucket / "listed" / "labels.jsonl").open("a") as file:
        file.write("\n")
    pq.write_table(pa.table({"media": [b"new"]}), bucket / "tables" / "a.parquet")
    assert all(now not in before for now in map(state_of, places))


def test_a_label_file_in_the_known_state_is_not_read_through(listed: Path, bytes_read: Callable[[], int]) -> None:
    with (listed / "labels.jsonl").open("a") as file:
        file.write((json.dumps({"path": "a.gif", "more": "x" * 1000}) + "\n") * 3000)
    config = SourceConfig(path=str(listed))
    known = open_source(config).state()
    before = bytes_read()
    opened = open_source(config, known_state=known)
    assert bytes_read() - before < 1 << 20
    assert len(list(opened.samples())) == 3001


def test_a_label_file_in_another_state_is_read_through(listed: Path) -> None:
    known = state_of(listed)
    with (listed / "labels.jsonl").open("a") as file:
        file.write("broken\n")
    with pytest.raises(UserError, match="line 2"):
        open_source(SourceConfig(path=str(listed)), known_state=known)

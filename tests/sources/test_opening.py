"""From a path and a kind to a source, or to one sentence that says what is wrong."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from pipeline.sources import SourceConfig, open_source
from pipeline.sources.config import derive_name
from schemas.errors import UserError


def opened_kind(path: Path, **settings: object) -> str:
    return open_source(SourceConfig.model_validate({"path": str(path), **settings})).kind


def write_tar(path: Path) -> None:
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        archive.add(__file__, "happy/a.gif")


def write_parquet(path: Path) -> None:
    pq.write_table(pa.table({"media": [b"GIF89a"], "label": ["happy"]}), path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/cats", "cats"),
        ("/data/cats/", "cats"),
        ("/data/cats.tar.gz", "cats"),
        ("cats.TAR", "cats"),
        ("cats.parquet", "cats"),
        ("pack-1.0", "pack-1.0"),
        ("/data/.tar", ".tar"),
        ("s3://bucket/raw/cats.tar.zst", "cats"),
        ("gs://bucket", "bucket"),
        ("file:///data/cats/", "cats"),
    ],
)
def test_the_name_is_the_last_component_without_a_container_suffix(path: str, name: str) -> None:
    assert derive_name(path) == name
    assert SourceConfig(path=path).name == name


def test_a_dot_is_named_after_the_folder_it_stands_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cats").mkdir()
    monkeypatch.chdir(tmp_path / "cats")
    assert SourceConfig(path=".").name == "cats"


def test_the_derived_name_is_stored_and_comes_back() -> None:
    config = SourceConfig(path="/data/cats.tar")
    assert SourceConfig.model_validate(config.model_dump()) == config
    assert config.model_dump()["name"] == "cats"


@pytest.mark.parametrize(
    "settings",
    [
        {"path": ""},
        {"path": "a", "name": "two\nlines"},
        {"path": "a", "name": ""},
        {"path": "a", "kind": "zip"},
        {"path": "a", "max_file_bytes": 0},
        {"path": "a", "colour": "red"},
        {},
    ],
)
def test_a_config_that_means_nothing_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SourceConfig.model_validate(settings)


def test_a_folder_with_a_label_file_is_labels_whatever_else_it_holds(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    write_tar(tmp_path / "a.tar")
    (tmp_path / "labels.csv").write_text("path,label\na.tar,x\n")
    assert opened_kind(tmp_path) == "labels"


def test_a_folder_with_sub_folders_is_label_folders(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    write_tar(tmp_path / "a.tar")
    assert opened_kind(tmp_path) == "label_folders"


def test_hidden_things_do_not_decide_about_the_kind(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".DS_Store").touch()
    write_tar(tmp_path / "a.tgz")
    write_tar(tmp_path / "b.tar")
    assert opened_kind(tmp_path) == "tar"


def test_a_folder_of_parquet_files_only_is_parquet(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet")
    write_parquet(tmp_path / "b.PARQUET")
    assert opened_kind(tmp_path) == "parquet"


def test_the_content_of_a_file_tells_more_than_its_name(tmp_path: Path) -> None:
    write_parquet(tmp_path / "rows.tar")
    write_tar(tmp_path / "members.parquet")
    assert opened_kind(tmp_path / "rows.tar") == "parquet"
    assert opened_kind(tmp_path / "members.parquet") == "tar"


def test_a_mixed_folder_is_refused_with_what_was_found_and_expected(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar")
    write_parquet(tmp_path / "b.parquet")
    (tmp_path / "c.gif").touch()
    with pytest.raises(
        UserError,
        match=r"source\.path .*1 tar archives, 1 Parquet files and 1 others; expected one of labels.jsonl",
    ):
        opened_kind(tmp_path)
    assert opened_kind(tmp_path, kind="tar") == "tar"
    assert opened_kind(tmp_path, kind="label_folders") == "label_folders"


def test_links_to_folders_alone_are_no_label_folders_unless_links_are_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "happy").symlink_to(outside)
    with pytest.raises(UserError, match=r"source\.path"):
        opened_kind(root)
    assert opened_kind(root, follow_links=True) == "label_folders"


@pytest.mark.parametrize("kind", ["auto", "labels", "label_folders", "tar", "parquet"])
def test_a_missing_path_and_an_empty_folder_name_the_key(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UserError, match=r"source\.path .*nowhere': no such file or folder"):
        opened_kind(tmp_path / "nowhere", kind=kind)
    with pytest.raises(UserError, match=r"source\.path .*: an empty folder"):
        opened_kind(tmp_path, kind=kind)


@pytest.mark.parametrize("kind", ["labels", "label_folders"])
def test_a_file_where_a_folder_is_needed_is_refused(tmp_path: Path, kind: str) -> None:
    write_tar(tmp_path / "a.tar")
    with pytest.raises(UserError, match=r"source\.path .*a file, but source\.kind"):
        opened_kind(tmp_path / "a.tar", kind=kind)


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_a_folder_without_a_file_of_the_named_kind_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.gif").touch()
    with pytest.raises(UserError, match=r"source\.path .*no file in it ends in"):
        opened_kind(tmp_path, kind=kind)


def test_several_label_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,label\n")
    (tmp_path / "labels.jsonl").write_text("")
    with pytest.raises(UserError, match=r"labels.jsonl and labels.csv, expected one"):
        opened_kind(tmp_path)


def test_a_pipe_as_the_source_is_refused_at_once(tmp_path: Path, no_hang: None) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        opened_kind(tmp_path / "pipe")


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_an_archive_linked_from_elsewhere_needs_permission(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "blob"
    (write_tar if kind == "tar" else write_parquet)(target)
    root = tmp_path / "root"
    root.mkdir()
    (root / f"a.{kind}").symlink_to(target)
    with pytest.raises(UserError, match=r"leads out of source\.path; source\.follow_links"):
        opened_kind(root)
    assert opened_kind(root, follow_links=True) == kind


def test_a_path_nobody_may_enter_is_refused(open_folder: Path, as_nobody: Callable[[], None]) -> None:
    (open_folder / "locked").mkdir(mode=0o700)
    (open_folder / "locked" / "a.gif").touch()
    as_nobody()
    with pytest.raises(UserError, match=r"source\.path .*Permission denied"):
        opened_kind(open_folder / "locked")

"""Storage on a real S3 server: objects appear whole or not at all, and every error says whose fault it is."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.asyn import sync_wrapper

from schemas import object_store, storage
from schemas.errors import MachineFault, UserError
from schemas.location import ObjectPath
from schemas.storage import (
    copy_file,
    is_empty,
    list_asides,
    list_finished,
    list_folders,
    list_sizes,
    open_parquet,
    read_parquet,
    remove_files,
    remove_folder,
    size_of,
    write_table,
    write_text,
    written_aside,
)
from tests.s3 import S3Server

MULTIPART_BYTES = (100 << 20) + 1  # from twice its part of 50 MiB on, s3fs uploads in parts


@pytest.fixture
def root(bucket: Path) -> ObjectPath:
    return ObjectPath("s3", bucket.name) / "root"


def test_what_was_written_is_there_to_be_read_listed_and_removed(root: ObjectPath) -> None:
    assert is_empty(root)
    write_text(root / "a.txt", "ä")
    write_text(root / "in" / "b.parquet", "bb")
    write_text(root / "in" / "a.parquet", "a")
    assert (root / "a.txt").exists()
    assert (root / "a.txt").read_bytes() == "ä".encode()
    assert size_of(root / "a.txt") == 2
    assert list_sizes(root) == {"a.txt": 2}
    assert list_folders(root) == [root / "in"]
    assert list_finished(root / "in") == [root / "in" / "a.parquet", root / "in" / "b.parquet"]
    remove_files([root / "a.txt", root / "never.txt"])
    remove_files([])
    assert list_sizes(root) == {}
    remove_folder(root)
    remove_folder(root)
    assert is_empty(root)


def test_what_is_not_there_is_told_by_none_nothing_or_a_missing_file(root: ObjectPath) -> None:
    missing = root / "missing"
    assert size_of(missing) is None
    assert not missing.exists()
    assert list_sizes(missing) == {}
    assert size_of(root.parent) is None
    with pytest.raises(FileNotFoundError, match="No such file"):
        missing.read_bytes()
    with pytest.raises(FileNotFoundError), open_parquet(missing):
        pass


def test_a_prefix_is_no_object_and_names_that_begin_alike_are_not_inside(root: ObjectPath) -> None:
    write_text(root / "part" / "a", "a")
    write_text(root / "part-2" / "b", "b")
    assert size_of(root / "part") is None
    assert list_sizes(root / "part") == {"a": 1}
    remove_folder(root / "part")
    assert list_folders(root) == [root / "part-2"]


def test_folders_aside_are_seen_only_by_whom_they_belong_to(root: ObjectPath) -> None:
    write_text(root / ".t2i-1" / "a", "a")
    write_text(root / "t2i" / "a", "a")
    assert list_folders(root) == [root / "t2i"]
    assert list_asides(root, "t2i") == [root / ".t2i-1"]


def test_an_object_is_replaced_and_copied_whole(root: ObjectPath) -> None:
    write_text(root / "a", "long before")
    write_text(root / "a", "short")
    copy_file(root / "a", root / "b" / "c")
    remove_files([root / "a"])
    assert (root / "b" / "c").read_bytes() == b"short"


@pytest.mark.parametrize("name", ["*", "?", "[ab]", "r*"])
def test_signs_that_shells_expand_stand_for_themselves(root: ObjectPath, name: str) -> None:
    """`s3://bucket/*` is a root like any other, beside others that it must not touch."""
    for neighbour in ("a", "b", "root"):
        write_text(root.parent / neighbour / "x", neighbour)
    odd = root.parent / name
    write_text(odd / "x", "odd")
    copy_file(odd / "x", odd / "y")
    assert {each: (odd / each).read_bytes() for each in list_sizes(odd)} == {"x": b"odd", "y": b"odd"}
    remove_files([odd / "x", odd / "never"])
    assert list_sizes(odd) == {"y": 3}
    remove_folder(odd)
    assert [each.name for each in list_folders(root.parent)] == ["a", "b", "root"]
    assert [(root.parent / each / "x").read_bytes() for each in ("a", "b", "root")] == [b"a", b"b", b"root"]


def test_a_refused_removal_is_told_and_what_is_missing_is_none(
    root: ObjectPath, monkeypatch: pytest.MonkeyPatch, new_client: Callable[[], None]
) -> None:
    write_text(root / "a", "a")
    remove_files([root / f"missing-{number}" for number in range(40)])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    new_client()
    with pytest.raises(UserError, match="access denied"):
        remove_files([root / "a", root / "b"])


def test_whether_an_object_is_there_is_asked_by_one_request(root: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    client = type(object_store.open_store("s3"))
    send, sent = client._call_s3, []

    async def note(self: object, method: str, *rest: object, **parameters: object) -> object:
        sent.append(method)
        return await send(self, method, *rest, **parameters)

    monkeypatch.setattr(client, "_call_s3", note)
    monkeypatch.setattr(client, "call_s3", sync_wrapper(note))
    assert not (root / "a").exists()
    assert sent == ["head_object"]


def test_of_a_folder_only_names_with_a_prefix_are_listed(root: ObjectPath) -> None:
    for name in ("00001-a.parquet", "00001-b.parquet", "00001-c.txt", "00010-a.parquet", "complete"):
        write_text(root / "in" / name, "")
    assert [each.name for each in list_finished(root / "in", prefix="00001-")] == ["00001-a.parquet", "00001-b.parquet"]
    assert list_finished(root / "missing", prefix="00001-") == []


def test_nothing_appears_if_the_writer_fails_and_what_was_there_stays(root: ObjectPath) -> None:
    write_text(root / "old", "old")
    for name in ("old", "new"):
        with pytest.raises(RuntimeError), written_aside(root / name) as aside:
            aside.write_text("half")
            raise RuntimeError
    assert list_sizes(root) == {"old": 3}
    assert (root / "old").read_bytes() == b"old"
    assert not aside.exists()


def test_a_large_object_is_uploaded_in_parts_and_is_the_same(root: ObjectPath) -> None:
    with written_aside(root / "large") as aside, aside.open("wb") as file:
        file.truncate(MULTIPART_BYTES - 3)
        file.seek(0, 2)
        file.write(b"end")
    assert size_of(root / "large") == MULTIPART_BYTES
    with object_store.open_forward("s3", (root / "large").key) as opened:
        opened.seek(MULTIPART_BYTES - 5)
        assert opened.read() == b"\0\0end"


@pytest.mark.parametrize("small_bytes", [storage.SMALL_BYTES, 0])
def test_parquet_is_read_whole_by_column_and_by_filter(
    root: ObjectPath, small_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small object is fetched at once, of a large one the ranges that are asked for."""
    monkeypatch.setattr(storage, "SMALL_BYTES", small_bytes)
    table = pa.table({"key": [str(number) for number in range(5000)], "size": range(5000)})
    write_table(root / "a.parquet", table)
    with open_parquet(root / "a.parquet") as file:
        assert file.read() == table
    assert read_parquet(root / "a.parquet", ["size"])["size"].to_pylist() == list(range(5000))
    assert read_parquet(root / "a.parquet", ["key"], filters=[("size", ">", 4997)])["key"].to_pylist() == [
        "4998",
        "4999",
    ]


def test_a_wrong_key_is_the_users_fault_and_no_secret_is_repeated(
    root: ObjectPath, monkeypatch: pytest.MonkeyPatch, new_client: Callable[[], None]
) -> None:
    write_text(root / "a", "a")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    new_client()
    for refused in (lambda: (root / "a").read_bytes(), lambda: list_sizes(root), lambda: write_text(root / "b", "b")):
        with pytest.raises(UserError, match="access denied") as caught:
            refused()
        assert "secret" not in str(caught.value)


def test_without_credentials_the_user_is_told(
    root: ObjectPath, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, new_client: Callable[[], None]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    new_client()
    with pytest.raises(UserError, match="no credentials"):
        write_text(root / "a", "a")


def test_a_bucket_that_is_not_there_is_an_empty_place_to_read_and_an_error_to_write(s3: S3Server) -> None:
    nowhere = ObjectPath("s3", "no-such-bucket") / "root"
    assert is_empty(nowhere)
    with pytest.raises(UserError, match="s3://no-such-bucket/root/a: there is no bucket 'no-such-bucket'"):
        write_text(nowhere / "a", "a")


def test_a_server_that_is_gone_is_the_machines_fault_and_what_was_written_survives_it(
    root: ObjectPath, s3: S3Server, monkeypatch: pytest.MonkeyPatch, new_client: Callable[[], None]
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    new_client()
    write_table(root / "a.parquet", pa.table({"a": range(100_000)}))
    opened = object_store.open_ranges("s3", (root / "a.parquet").key)
    s3.kill()
    with pytest.raises(MachineFault):
        opened.read(10)
    with pytest.raises(MachineFault):
        pq.ParquetFile(opened)
    with pytest.raises(MachineFault):
        write_text(root / "b", "b")
    with pytest.raises(MachineFault):
        list_sizes(root)
    s3.start()
    assert read_parquet(root / "a.parquet", ["a"]).num_rows == 100_000
    assert list(list_sizes(root)) == ["a.parquet"]


def test_a_store_whose_package_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, new_client: Callable[[], None]
) -> None:
    monkeypatch.setitem(object_store.PACKAGES, "gs", "a_package_that_nobody_has")
    new_client()
    with pytest.raises(UserError, match=r"pip install 'mobius\[gs\]'"):
        ObjectPath("gs", "bucket/a").exists()

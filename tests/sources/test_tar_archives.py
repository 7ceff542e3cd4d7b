"""Tar archives: what belongs together, and what its label is."""

import gzip
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import UserError
from schemas.sample import Sample, sample_key

Collect = Callable[..., list[Sample]]
WriteTar = Callable[..., Path]
Entry = tuple[str, bytes | str]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tgz": gzip.compress,
    "tar.zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
}


def brief(samples: list[Sample]) -> list[tuple[str, str | None, bytes | None]]:
    return [(sample.path, sample.label, sample.media) for sample in samples]


def test_members_of_one_base_name_are_one_sample(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(
        tmp_path / "p.tar",
        ("x/1.gif", b"one"),
        ("x/1.json", json.dumps({"label": "happy", "by": "me", "n": 1})),
        ("x/2.cls", "sad\n"),
        ("x/2.webp", b"two"),
        ("x/3.JSON", '{"label": 3}'),
        ("x/3.txt", "three of them"),
        ("x/3.png", b"three"),
        ("x/4.txt", "calm\r\n"),
        ("x/4", b"four"),
        ("5.gif", b"five"),
        ("x/6.gif", b"six"),
    )
    samples = collect(path, name="pile")
    assert brief(samples) == [
        ("p.tar!x/1.gif", "happy", b"one"),
        ("p.tar!x/2.webp", "sad", b"two"),
        ("p.tar!x/3.png", "3", b"three"),
        ("p.tar!x/4", "calm", b"four"),
        ("p.tar!5.gif", None, b"five"),
        ("p.tar!x/6.gif", "x", b"six"),
    ]
    extras = [json.loads(sample.extra) for sample in samples]
    assert extras == [{"by": "me", "n": 1}, {}, {"txt": "three of them"}, {}, {}, {}]
    assert samples[0].key == sample_key("pile", b"p.tar!x/1.gif")


def test_several_media_of_one_base_name_share_its_label(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", b"1"), ("a.cls", "joy"), ("a.small.gif", b"2"), ("b.gif", b"3"))
    assert brief(collect(path)) == [
        ("p.tar!a.gif", "joy", b"1"),
        ("p.tar!a.small.gif", "joy", b"2"),
        ("p.tar!b.gif", None, b"3"),
    ]


def test_the_base_name_ends_at_the_first_dot_of_the_file_name_only(
    write_tar: WriteTar, tmp_path: Path, collect: Collect
) -> None:
    path = write_tar(
        tmp_path / "p.tar",
        ("v1.0/a.gif", b"1"),
        ("v1.0/a.cls", "x"),
        ("v1.0/.b.gif", b"2"),
        ("v1.0/.b.cls", "y"),
        ("v1.0/.c.gif", b"3"),
    )
    assert [sample.label for sample in collect(path)] == ["x", "y", "v1.0"]


@pytest.mark.parametrize(
    "sidecar", [("a.json", "{"), ("a.json", "[]"), ("a.json", b"\xff"), ("a.txt", "x" * (2 << 20))]
)
def test_a_broken_sidecar_costs_the_label_and_says_so(
    write_tar: WriteTar, tmp_path: Path, collect: Collect, sidecar: Entry
) -> None:
    [sample] = collect(write_tar(tmp_path / "p.tar", ("a.gif", b"1"), sidecar))
    assert (sample.media, sample.label, sample.reason) == (b"1", None, None)
    assert sidecar[0] in json.loads(sample.extra)["_problem"]


def test_a_label_whose_media_is_missing_is_a_sample(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("x/a.json", '{"label": "joy"}'), ("x/a.txt", "t"), ("x/b.gif", b"1"))
    lost, kept = collect(path)
    assert (lost.path, lost.label, lost.reason) == ("p.tar!x/a.json", "joy", "unreadable")
    assert kept.media == b"1"


def test_a_member_stored_twice_is_two_samples(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", b"1"), ("b.gif", b"2"), ("./a.gif", b"3"))
    samples = collect(path, name="pile")
    assert [sample.key for sample in samples] == [
        sample_key("pile", b"p.tar!a.gif", 0),
        sample_key("pile", b"p.tar!b.gif", 0),
        sample_key("pile", b"p.tar!a.gif", 1),
    ]


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_awkward_names_are_read_and_kept_apart(
    write_tar: WriteTar, tmp_path: Path, collect: Collect, tar_format: int
) -> None:
    names = [
        "-rf.gif",
        "q'\"$(x).gif",
        "%20%2F.gif",
        "a b.gif",
        "l/" + "x" * 80 + ".gif",
        "\u00e9.gif",
        "e\u0301.gif",
    ]
    names += ["n" * 90 + "/" + "m" * 94, "caf\udce9.gif"]
    path = write_tar(tmp_path / "p.tar", *((name, os.fsencode(name)) for name in names), tar_format=tar_format)
    samples = collect(path, name="pile")
    assert [sample.media for sample in samples] == [os.fsencode(name) for name in names]
    assert [sample.key for sample in samples] == [sample_key("pile", b"p.tar!" + os.fsencode(name)) for name in names]
    assert samples[-1].path == "p.tar!caf\\xe9.gif"


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tgz", "tar.zst"])
def test_compressed_archives_are_the_same_samples(
    write_tar: WriteTar, tmp_path: Path, collect: Collect, kind: str
) -> None:
    plain = write_tar(tmp_path / "plain", ("x/a.gif", b"1" * 5000), ("x/a.cls", "joy"), ("x/b.gif", b"2")).read_bytes()
    path = tmp_path / f"p.{kind}"
    path.write_bytes(PACKERS[kind](plain))
    assert brief(collect(path)) == [
        (f"p.{kind}!x/a.gif", "joy", b"1" * 5000),
        (f"p.{kind}!x/b.gif", "x", b"2"),
    ]


def test_a_folder_of_archives_is_read_in_the_order_of_their_names(
    write_tar: WriteTar, tmp_path: Path, collect: Collect
) -> None:
    write_tar(tmp_path / "b.tar", ("x.gif", b"2"))
    write_tar(tmp_path / "a.tar.gz", ("x.gif", b"1"), mode="w:gz")
    write_tar(tmp_path / "B.tgz", ("x.gif", b"0"), mode="w:gz")
    samples = collect(tmp_path)
    assert [(sample.path, sample.media) for sample in samples] == [
        ("B.tgz!x.gif", b"0"),
        ("a.tar.gz!x.gif", b"1"),
        ("b.tar!x.gif", b"2"),
    ]


def test_a_member_over_the_limit_is_not_read(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", b"1" * 101), ("b.gif", b"2" * 100))
    large, fitting = collect(path, max_file_bytes=100)
    assert (large.size_bytes, large.media, large.reason) == (101, None, "too_large")
    assert fitting.media == b"2" * 100


def test_skipped_members_are_not_read(
    write_tar: WriteTar, tmp_path: Path, collect: Collect, bytes_read: Callable[[], int]
) -> None:
    path = write_tar(tmp_path / "p.tar", *((f"{n}.gif", bytes(4 << 20)) for n in range(4)))
    keys = [sample.key for sample in collect(path)]
    before = bytes_read()
    assert [sample.key for sample in collect(path, skip=set(keys[:3]))] == keys[3:]
    assert bytes_read() - before < 6 << 20


@pytest.mark.parametrize("data", [b"", b"GIF89a" * 200, b"x"])
def test_a_single_file_that_is_no_tar_archive_is_told_at_once(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p.tar").write_bytes(data)
    for kind in ("auto", "tar"):
        with pytest.raises(UserError, match=r"source\.path .*not a tar archive"):
            open_source(SourceConfig.model_validate({"path": str(tmp_path / "p.tar"), "kind": kind}))


def test_an_empty_archive_is_read_as_empty(tmp_path: Path, write_tar: WriteTar, collect: Collect) -> None:
    assert collect(write_tar(tmp_path / "p.tar")) == []

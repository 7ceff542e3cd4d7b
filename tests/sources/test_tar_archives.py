"""Tar archives: what belongs together, what is not to be trusted, and what is lost."""

import gzip
import io
import json
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import MachineFault
from schemas.sample import Sample, sample_key

Collect = Callable[..., list[Sample]]
Entry = tuple[str, bytes | str]


def add(
    archive: tarfile.TarFile, name: str, data: bytes | str = b"", *, kind: bytes = tarfile.REGTYPE
) -> None:
    """Add a file with its data, or another kind of member with where it points to."""
    info = tarfile.TarInfo(name)
    info.type = kind
    if isinstance(data, str) and kind != tarfile.REGTYPE:
        info.linkname = data
        archive.addfile(info)
        return
    encoded = data.encode() if isinstance(data, str) else data
    info.size = len(encoded)
    archive.addfile(info, io.BytesIO(encoded))


def write_tar(path: Path, *entries: Entry, mode: str = "w", tar_format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=tar_format) as archive:  # type: ignore[call-overload]
        for name, data in entries:
            add(archive, name, data)
    return path


def brief(samples: list[Sample]) -> list[tuple[str, str | None, bytes | None]]:
    return [(sample.path, sample.label, sample.media) for sample in samples]


def test_members_of_one_base_name_are_one_sample(tmp_path: Path, collect: Collect) -> None:
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


def test_several_media_of_one_base_name_share_its_label(tmp_path: Path, collect: Collect) -> None:
    path = write_tar(
        tmp_path / "p.tar", ("a.gif", b"1"), ("a.cls", "joy"), ("a.small.gif", b"2"), ("b.gif", b"3")
    )
    assert brief(collect(path)) == [
        ("p.tar!a.gif", "joy", b"1"),
        ("p.tar!a.small.gif", "joy", b"2"),
        ("p.tar!b.gif", None, b"3"),
    ]


def test_the_base_name_ends_at_the_first_dot_of_the_file_name_only(tmp_path: Path, collect: Collect) -> None:
    path = write_tar(
        tmp_path / "p.tar",
        ("v1.0/a.gif", b"1"),
        ("v1.0/a.cls", "x"),
        ("v1.0/.b.gif", b"2"),
        ("v1.0/.b.cls", "y"),
    )
    assert [sample.label for sample in collect(path)] == ["x", "y"]


@pytest.mark.parametrize(
    "sidecar", [("a.json", "{"), ("a.json", "[]"), ("a.json", b"\xff"), ("a.txt", "x" * (2 << 20))]
)
def test_a_broken_sidecar_costs_the_label_and_says_so(
    tmp_path: Path, collect: Collect, sidecar: Entry
) -> None:
    [sample] = collect(write_tar(tmp_path / "p.tar", ("a.gif", b"1"), sidecar))
    assert (sample.media, sample.label, sample.reason) == (b"1", None, None)
    assert sidecar[0] in json.loads(sample.extra)["_problem"]


def test_a_label_whose_media_is_missing_is_a_sample(tmp_path: Path, collect: Collect) -> None:
    path = write_tar(
        tmp_path / "p.tar", ("x/a.json", '{"label": "joy"}'), ("x/a.txt", "t"), ("x/b.gif", b"1")
    )
    lost, kept = collect(path)
    assert (lost.path, lost.label, lost.reason) == ("p.tar!x/a.json", "joy", "unreadable")
    assert kept.media == b"1"


def test_a_member_stored_twice_is_two_samples(tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", b"1"), ("b.gif", b"2"), ("./a.gif", b"3"))
    samples = collect(path, name="pile")
    assert [sample.key for sample in samples] == [
        sample_key("pile", b"p.tar!a.gif", 0),
        sample_key("pile", b"p.tar!b.gif", 0),
        sample_key("pile", b"p.tar!a.gif", 1),
    ]


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_awkward_names_are_read_and_kept_apart(tmp_path: Path, collect: Collect, tar_format: int) -> None:
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
    path = write_tar(
        tmp_path / "p.tar", *((name, os.fsencode(name)) for name in names), tar_format=tar_format
    )
    samples = collect(path, name="pile")
    assert [sample.media for sample in samples] == [os.fsencode(name) for name in names]
    assert [sample.key for sample in samples] == [
        sample_key("pile", b"p.tar!" + os.fsencode(name)) for name in names
    ]
    assert samples[-1].path == "p.tar!caf\\xe9.gif"


def test_links_devices_and_names_that_lead_outside_are_never_followed(
    tmp_path: Path, collect: Collect, no_hang: None
) -> None:
    path = tmp_path / "p.tar"
    with tarfile.open(path, "w") as archive:
        add(archive, "ok.gif", b"ok")
        add(archive, "folder", kind=tarfile.DIRTYPE)
        add(archive, "soft.gif", "/etc/passwd", kind=tarfile.SYMTYPE)
        add(archive, "hard.gif", "ok.gif", kind=tarfile.LNKTYPE)
        add(archive, "/etc/absolute.gif", b"x")
        add(archive, "../climbs.gif", b"x")
        add(archive, "a/../../climbs.gif", b"x")
        add(archive, "/a.json", '{"label": "x"}')
        add(archive, "char.gif", kind=tarfile.CHRTYPE)
        add(archive, "block.gif", kind=tarfile.BLKTYPE)
        add(archive, "fifo.gif", kind=tarfile.FIFOTYPE)
        add(archive, "odd.gif", b"x", kind=b"Z")
        add(archive, "last.gif", b"last")
    before = sorted(tmp_path.iterdir())
    samples = {sample.path.removeprefix("p.tar!"): sample for sample in collect(path)}
    assert {name: sample.reason for name, sample in samples.items()} == {
        "ok.gif": None,
        "soft.gif": "outside_source",
        "hard.gif": "outside_source",
        "/etc/absolute.gif": "outside_source",
        "../climbs.gif": "outside_source",
        "a/../../climbs.gif": "outside_source",
        "/a.json": "outside_source",
        "char.gif": "unreadable",
        "block.gif": "unreadable",
        "fifo.gif": "unreadable",
        "odd.gif": "unreadable",
        "last.gif": None,
    }
    assert all((sample.media is None) == (sample.reason is not None) for sample in samples.values())
    assert samples["soft.gif"].detail == "a link to '/etc/passwd', and links in archives are not followed"
    assert {sample.label for sample in samples.values()} == {None}
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tgz", "tar.zst"])
def test_compressed_archives_are_the_same_samples(tmp_path: Path, collect: Collect, kind: str) -> None:
    plain = write_tar(
        tmp_path / "plain", ("x/a.gif", b"1" * 5000), ("x/a.cls", "joy"), ("x/b.gif", b"2")
    ).read_bytes()
    packed = {"tar": bytes, "tar.zst": lambda data: pa.compress(data, "zstd", asbytes=True)}.get(
        kind, gzip.compress
    )
    path = tmp_path / f"p.{kind}"
    path.write_bytes(packed(plain))
    assert brief(collect(path)) == [
        (f"p.{kind}!x/a.gif", "joy", b"1" * 5000),
        (f"p.{kind}!x/b.gif", "x", b"2"),
    ]


def test_a_folder_of_archives_is_read_in_the_order_of_their_names(tmp_path: Path, collect: Collect) -> None:
    write_tar(tmp_path / "b.tar", ("x.gif", b"2"))
    write_tar(tmp_path / "a.tar.gz", ("x.gif", b"1"), mode="w:gz")
    write_tar(tmp_path / "B.tgz", ("x.gif", b"0"), mode="w:gz")
    samples = collect(tmp_path)
    assert [(sample.path, sample.media) for sample in samples] == [
        ("B.tgz!x.gif", b"0"),
        ("a.tar.gz!x.gif", b"1"),
        ("b.tar!x.gif", b"2"),
    ]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.zst"])
def test_a_truncated_archive_gives_its_whole_members_and_one_account_of_the_rest(
    tmp_path: Path, collect: Collect, kind: str
) -> None:
    noise = [os.urandom(200_000) for _ in range(5)]
    data = write_tar(tmp_path / "plain", *((f"x/{n}.gif", noise[n]) for n in range(5))).read_bytes()
    packed = {
        "tar": bytes,
        "tar.gz": gzip.compress,
        "tar.zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    }
    path = tmp_path / f"p.{kind}"
    path.write_bytes(packed[kind](data)[:700_000])
    *whole, rest = collect(path)
    assert 1 <= len(whole) <= 3
    assert [sample.media for sample in whole] == noise[: len(whole)]
    assert (rest.path, rest.label, rest.media) == (f"p.{kind}#truncated", None, None)
    assert rest.reason == "unreadable"
    assert rest.detail
    assert [sample.path for sample in collect(path, skip={sample.key for sample in whole})] == [rest.path]
    assert collect(path, skip={sample.key for sample in [*whole, rest]}) == []


def test_one_broken_archive_does_not_harm_the_next(tmp_path: Path, collect: Collect) -> None:
    (tmp_path / "a.tar").write_bytes(b"not a tar archive" * 100)
    (tmp_path / "b.tar").touch()
    (tmp_path / "c.tar.gz").write_bytes(b"\x1f\x8b and then nothing that gzip knows")
    write_tar(tmp_path / "d.tar", ("x.gif", b"1"))
    samples = collect(tmp_path)
    assert [(sample.path, sample.reason) for sample in samples] == [
        ("a.tar#truncated", "unreadable"),
        ("b.tar#truncated", "unreadable"),
        ("c.tar.gz#truncated", "unreadable"),
        ("d.tar!x.gif", None),
    ]
    assert samples[0].detail == "not a tar archive: a number is not octal"


def test_an_archive_nobody_may_read_is_accounted_for(
    open_folder: Path, as_nobody: Callable[[], None], collect: Collect
) -> None:
    write_tar(open_folder / "a.tar", ("x.gif", b"1")).chmod(0)
    write_tar(open_folder / "b.tar", ("x.gif", b"1")).chmod(0o644)
    as_nobody()
    samples = collect(open_folder)
    assert [(sample.path, sample.detail) for sample in samples] == [
        ("a.tar#truncated", "Permission denied"),
        ("b.tar!x.gif", None),
    ]


def test_an_error_of_the_machine_stops_the_reading(tmp_path: Path, collect: Collect) -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs /proc/self/mem, whose first byte cannot be read")
    (tmp_path / "a.tar").symlink_to("/proc/self/mem")
    with pytest.raises(MachineFault, match="EIO"):
        collect(tmp_path, kind="tar", follow_links=True)


def test_a_member_over_the_limit_is_not_read(tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", b"1" * 101), ("b.gif", b"2" * 100))
    large, fitting = collect(path, max_file_bytes=100)
    assert (large.size_bytes, large.media, large.reason) == (101, None, "too_large")
    assert fitting.media == b"2" * 100


def test_skipped_members_are_not_read(
    tmp_path: Path, collect: Collect, bytes_read: Callable[[], int]
) -> None:
    path = write_tar(tmp_path / "p.tar", *((f"{n}.gif", bytes(4 << 20)) for n in range(4)))
    keys = [sample.key for sample in collect(path)]
    before = bytes_read()
    assert [sample.key for sample in collect(path, skip=set(keys[:3]))] == keys[3:]
    assert bytes_read() - before < 6 << 20


@pytest.fixture
def peak_bytes() -> Callable[[Path, int], tuple[int, list[str | None]]]:
    """Read a source to its end and return Python's peak memory, with the reason of each sample."""

    def measure(path: Path, max_file_bytes: int) -> tuple[int, list[str | None]]:
        source = open_source(SourceConfig(path=str(path), max_file_bytes=max_file_bytes))
        tracemalloc.start()
        try:
            reasons = [sample.reason for sample in source.samples()]
            return tracemalloc.get_traced_memory()[1], reasons
        finally:
            tracemalloc.stop()

    return measure


def test_only_one_sample_is_held_at_a_time(
    tmp_path: Path, peak_bytes: Callable[[Path, int], tuple[int, list[str | None]]]
) -> None:
    path = write_tar(tmp_path / "p.tar", *((f"{n}.gif", bytes(1 << 20)) for n in range(40)))
    peak, reasons = peak_bytes(path, 64 << 20)
    assert len(reasons) == 40
    assert peak < 8 << 20


def test_a_gzip_bomb_is_passed_through_in_little_memory(
    tmp_path: Path, peak_bytes: Callable[[Path, int], tuple[int, list[str | None]]]
) -> None:
    path = write_tar(tmp_path / "p.tgz", ("bomb.gif", bytes(96 << 20)), ("after.gif", b"x"), mode="w:gz")
    assert path.stat().st_size < 1 << 20
    peak, reasons = peak_bytes(path, 1 << 20)
    assert reasons == ["too_large", None]
    assert peak < 8 << 20


@pytest.mark.parametrize("flag", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_bomb_in_an_extended_header_is_not_unpacked(
    tmp_path: Path, flag: bytes, peak_bytes: Callable[[Path, int], tuple[int, list[str | None]]]
) -> None:
    path = tmp_path / "p.tgz"
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        add(archive, "././@LongLink", bytes(64 << 20), kind=flag)
        add(archive, "a.gif", b"x")
    peak, reasons = peak_bytes(path, 1 << 20)
    assert reasons == ["unreadable"]
    assert peak < 8 << 20


def test_one_base_name_for_everything_is_handed_on_in_parts(
    tmp_path: Path, peak_bytes: Callable[[Path, int], tuple[int, list[str | None]]]
) -> None:
    members = [(f"a.{n}.gif", bytes(3 << 20)) for n in range(40)]
    path = write_tar(tmp_path / "p.tgz", *members, mode="w:gz")
    peak, reasons = peak_bytes(path, 64 << 20)
    assert reasons == [None] * 40
    assert peak < 80 << 20


def test_a_file_with_holes_is_passed_over_whole(tmp_path: Path, collect: Collect) -> None:
    path = tmp_path / "p.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("GNUSparseFile.0/a.gif")
        info.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.name": "x/a.gif",
            "GNU.sparse.realsize": "9999999999",
        }
        info.size = 600
        archive.addfile(info, io.BytesIO(bytes(600)))
        add(archive, "b.gif", b"x")
    samples = collect(path)
    assert [(sample.path, sample.reason) for sample in samples] == [
        ("p.tar!x/a.gif", "unreadable"),
        ("p.tar!b.gif", None),
    ]
    assert samples[0].detail == "a file with holes, not a file"

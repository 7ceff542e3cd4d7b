"""Tar archives nobody vouches for: links, devices, bombs, damage and missing ends."""

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import MachineFault
from schemas.sample import Sample

Collect = Callable[..., list[Sample]]
WriteTar = Callable[..., Path]
AddMember = Callable[..., None]
Peak = Callable[[Path, int], tuple[int, list[str | None]]]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
}


def test_links_devices_and_names_that_lead_outside_are_never_followed(
    add_member: AddMember, tmp_path: Path, collect: Collect, no_hang: None
) -> None:
    path = tmp_path / "p.tar"
    with tarfile.open(path, "w") as archive:
        add_member(archive, "ok.gif", b"ok")
        add_member(archive, "folder", kind=tarfile.DIRTYPE)
        add_member(archive, "soft.gif", "/etc/passwd", kind=tarfile.SYMTYPE)
        add_member(archive, "hard.gif", "ok.gif", kind=tarfile.LNKTYPE)
        add_member(archive, "/etc/absolute.gif", b"x")
        add_member(archive, "../climbs.gif", b"x")
        add_member(archive, "a/../../climbs.gif", b"x")
        add_member(archive, "/a.json", '{"label": "x"}')
        add_member(archive, "char.gif", kind=tarfile.CHRTYPE)
        add_member(archive, "block.gif", kind=tarfile.BLKTYPE)
        add_member(archive, "fifo.gif", kind=tarfile.FIFOTYPE)
        add_member(archive, "odd.gif", b"x", kind=b"Z")
        add_member(archive, "last.gif", b"last")
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


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.zst"])
def test_a_truncated_archive_gives_its_whole_members_and_one_account_of_the_rest(
    write_tar: WriteTar, tmp_path: Path, collect: Collect, kind: str
) -> None:
    noise = [os.urandom(200_000) for _ in range(5)]
    data = write_tar(tmp_path / "plain", *((f"x/{n}.gif", noise[n]) for n in range(5))).read_bytes()
    path = tmp_path / f"p.{kind}"
    path.write_bytes(PACKERS[kind](data)[:700_000])
    *whole, rest = collect(path)
    assert 1 <= len(whole) <= 3
    assert [sample.media for sample in whole] == noise[: len(whole)]
    assert (rest.path, rest.label, rest.media) == (f"p.{kind}#truncated", None, None)
    assert rest.reason == "unreadable"
    assert rest.detail
    assert [sample.path for sample in collect(path, skip={sample.key for sample in whole})] == [rest.path]
    assert collect(path, skip={sample.key for sample in [*whole, rest]}) == []


def test_one_broken_archive_does_not_harm_the_next(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
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
    write_tar: WriteTar, open_folder: Path, as_nobody: Callable[[], None], collect: Collect
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


@pytest.fixture
def peak_bytes() -> Peak:
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


def test_only_one_sample_is_held_at_a_time(write_tar: WriteTar, tmp_path: Path, peak_bytes: Peak) -> None:
    path = write_tar(tmp_path / "p.tar", *((f"{n}.gif", bytes(1 << 20)) for n in range(40)))
    peak, reasons = peak_bytes(path, 64 << 20)
    assert len(reasons) == 40
    assert peak < 8 << 20


def test_a_gzip_bomb_is_passed_through_in_little_memory(write_tar: WriteTar, tmp_path: Path, peak_bytes: Peak) -> None:
    path = write_tar(tmp_path / "p.tgz", ("bomb.gif", bytes(96 << 20)), ("after.gif", b"x"), mode="w:gz")
    assert path.stat().st_size < 1 << 20
    peak, reasons = peak_bytes(path, 1 << 20)
    assert reasons == ["too_large", None]
    assert peak < 8 << 20


@pytest.mark.parametrize("flag", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_bomb_in_an_extended_header_is_not_unpacked(
    add_member: AddMember, tmp_path: Path, flag: bytes, peak_bytes: Peak
) -> None:
    path = tmp_path / "p.tgz"
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        add_member(archive, "././@LongLink", bytes(64 << 20), kind=flag)
        add_member(archive, "a.gif", b"x")
    peak, reasons = peak_bytes(path, 1 << 20)
    assert reasons == ["unreadable"]
    assert peak < 8 << 20


def test_one_base_name_for_everything_is_handed_on_in_parts(
    write_tar: WriteTar, tmp_path: Path, peak_bytes: Peak
) -> None:
    members = [(f"a.{n}.gif", bytes(3 << 20)) for n in range(40)]
    path = write_tar(tmp_path / "p.tgz", *members, mode="w:gz")
    peak, reasons = peak_bytes(path, 64 << 20)
    assert reasons == [None] * 40
    assert peak < 80 << 20


def test_a_file_with_holes_is_passed_over_whole(add_member: AddMember, tmp_path: Path, collect: Collect) -> None:
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
        add_member(archive, "b.gif", b"x")
    samples = collect(path)
    assert [(sample.path, sample.reason) for sample in samples] == [
        ("p.tar!x/a.gif", "unreadable"),
        ("p.tar!b.gif", None),
    ]
    assert samples[0].detail == "a file with holes, not a file"


def test_archives_that_vanish_with_their_folder_are_the_machines_fault(tmp_path: Path, write_tar: WriteTar) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write_tar(root / "a.tar", ("a.gif", b"1"))
    source = open_source(SourceConfig(path=str(root)))
    root.rename(tmp_path / "elsewhere")
    with pytest.raises(MachineFault, match="gone"):
        next(source.samples())


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_has_no_data_may_claim_a_size_and_nothing_after_it_is_lost(
    tmp_path: Path, add_member: AddMember, collect: Collect, kind: bytes
) -> None:
    with tarfile.open(tmp_path / "p.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("odd")
        info.type, info.size, info.linkname = kind, 700, "a.gif"
        archive.addfile(info)
        add_member(archive, "a.gif", b"x")
    samples = collect(tmp_path / "p.tar")
    assert [sample.media for sample in samples if sample.path == "p.tar!a.gif"] == [b"x"]
    assert not any(sample.path.endswith("#truncated") for sample in samples)


def test_a_folder_of_the_oldest_format_is_told_by_its_slash(
    tmp_path: Path, add_member: AddMember, collect: Collect
) -> None:
    with tarfile.open(tmp_path / "p.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        add_member(archive, "folder/", kind=tarfile.AREGTYPE)
        add_member(archive, "folder/a.gif", b"x", kind=tarfile.AREGTYPE)
    assert [(sample.path, sample.media) for sample in collect(tmp_path / "p.tar")] == [("p.tar!folder/a.gif", b"x")]

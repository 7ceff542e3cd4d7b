"""Tar headers against the standard library's writer, and against chance."""

import io
import random
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.tar_header import HeaderError, parse_pax
from pipeline.sources.tar_members import read_members
from pipeline.sources.tar_stream import BrokenArchive, TarStream

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=40)


def write_archive(members: list[tuple[str, bytes]], tar_format: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tar_format, encoding="utf-8") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def read_archive(data: bytes) -> tuple[list[tuple[bytes, bytes]], str | None]:
    """Return names and data of all members, and what stopped the reading before the end."""
    members = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tar"
        path.write_bytes(data)
        with TarStream(path.open("rb"), max_bytes=1 << 30, max_ratio=200) as stream:
            try:
                for member in read_members(stream, max_members=1000):
                    members.append((member.name, stream.read_all(member.size, "it")))
            except BrokenArchive as error:
                return members, str(error)
    return members, None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=9).map("/".join), st.binary(max_size=1100)), max_size=4),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_every_archive_of_the_standard_library_is_read_back(members: list[tuple[str, bytes]], tar_format: int) -> None:
    arrived, trouble = read_archive(write_archive(members, tar_format))
    assert trouble is None
    assert arrived == [(name.encode(), data) for name, data in members]


def test_a_long_ustar_name_is_put_together_from_its_prefix() -> None:
    name = "folder/" * 20 + "x" * 90
    arrived, trouble = read_archive(write_archive([(name, b"abc")], tarfile.USTAR_FORMAT))
    assert (arrived, trouble) == ([(name.encode(), b"abc")], None)


@pytest.mark.parametrize("tar_format", FORMATS)
def test_names_that_are_not_utf_8_keep_their_bytes(tar_format: int) -> None:
    arrived, _ = read_archive(write_archive([("caf\udce9.gif", b"x")], tar_format))
    assert arrived == [(b"caf\xe9.gif", b"x")]


def test_a_size_in_binary_is_read() -> None:
    data = bytearray(write_archive([("a", b"abc")], tarfile.GNU_FORMAT))
    data[124:136] = b"\x80" + (3).to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert read_archive(bytes(data)) == ([(b"a", b"abc")], None)


@pytest.mark.parametrize("tar_format", FORMATS)
def test_wherever_an_archive_is_cut_the_whole_members_come_and_the_cut_is_told(tar_format: int) -> None:
    members = [("a", b"x" * 700), ("b" * 100, b""), ("c", b"y" * 512), ("d", b"z")]
    data = write_archive(members, tar_format)
    whole, _ = read_archive(data)
    end_of_members = -(-len(data.rstrip(b"\0")) // 512) * 512
    counts = []
    for size in range(0, len(data) + 1, 64):
        arrived, trouble = read_archive(data[:size])
        assert arrived == whole[: len(arrived)]
        counts.append(len(arrived))
        assert (trouble is None) == (size >= end_of_members + 512)
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("tar_format", FORMATS)
def test_damage_anywhere_never_raises_anything_else_and_always_ends(tar_format: int) -> None:
    chance = random.Random(7)
    members = [
        ("a" * 120 if tar_format != tarfile.USTAR_FORMAT else "a", b"x" * 600),
        ("b", b"y"),
        ("c/é", b""),
    ]
    data = write_archive(members, tar_format)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(4096)] = chance.randrange(256)
        arrived, trouble = read_archive(bytes(damaged))
        assert trouble is not None or len(arrived) <= len(members)


def test_a_damaged_header_is_not_taken_for_the_end() -> None:
    data = bytearray(write_archive([("a", b"x"), ("b", b"y")], tarfile.GNU_FORMAT))
    data[1024 + 10] ^= 1
    arrived, trouble = read_archive(bytes(data))
    assert arrived == [(b"a", b"x")]
    assert trouble == "the header at byte 1,024 is damaged: its checksum does not match"


def test_a_second_archive_behind_the_end_mark_is_not_lost_in_silence() -> None:
    data = write_archive([("a", b"x")], tarfile.GNU_FORMAT)
    arrived, trouble = read_archive(data + data)
    assert len(arrived) == 1
    assert trouble == "after the end mark more data follow, which were not read"


@pytest.mark.parametrize(
    "records",
    [
        b"5 a=b\n",
        b"x",
        b"0 a=b\n",
        b"6 a=bc",
        b"99 a=b\n",
        b"4 ab\n",
        b" 6 a=b\n",
        b"-6 a=b\n",
        b"9" * 30 + b" a=b\n",
    ],
)
def test_a_broken_pax_record_is_told(records: bytes) -> None:
    with pytest.raises(HeaderError):
        parse_pax(records)


def test_pax_records_may_hold_newlines_and_equals_signs() -> None:
    assert parse_pax(b"12 path=a\n=\n6 a=b\n\0\0") == {b"path": b"a\n=", b"a": b"b"}

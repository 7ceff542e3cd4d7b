"""Sources that claim or unpack to far more than they are: each is bounded, and accounted for with a reason."""

import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceConfig, open_source
from pipeline.sources.limits import MAX_PATH_CHARS, within_limits
from pipeline.sources.parquet_reading import MAX_SHARED_BYTES
from pipeline.sources.positions import Mentions
from schemas.errors import UserError
from schemas.sample import Sample

Collect = Callable[..., list[Sample]]
AddMember = Callable[..., None]
WriteTar = Callable[..., Path]
PIECE = bytes(4 << 20)
MAX_MEMORY_BYTES = 8 << 20


def pack_zeros(path: Path, num_bytes: int) -> Path:
    """Write an archive of one member of zeros, packed as the name says, and one small file after it."""
    kind = "zstd" if path.suffix == ".zst" else "gzip"

    def pack(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, kind) as packed:
            packed.write(data)
        return bytes(sink.getvalue())

    zeros = pack(PIECE) * (num_bytes // len(PIECE))  # both formats go on after an end
    after = pack(header("after.gif", 1) + b"x" + bytes(511) + bytes(1024))
    path.write_bytes(pack(header("zeros.gif", num_bytes)) + zeros + after)
    return path


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def read_with_peak(path: Path, **settings: object) -> tuple[list[Sample], int]:
    """Read a source to its end; return its samples and the peak of Python's memory."""
    source = open_source(SourceConfig.model_validate({"path": str(path), **settings}))
    tracemalloc.start()
    try:
        return list(source.samples()), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["p.tar.gz", "p.tar.zst"])
def test_a_gigabyte_of_zeros_is_given_up_after_a_quarter_of_it(
    tmp_path: Path, name: str, bytes_unpacked: list[int]
) -> None:
    path = pack_zeros(tmp_path / name, 1 << 30)
    assert path.stat().st_size < 2 << 20
    (zeros, rest), peak = read_with_peak(path, max_ratio=100, max_file_bytes=1 << 20)
    assert (zeros.reason, zeros.size_bytes) == ("too_large", 1 << 30)
    assert (rest.path, rest.reason, rest.media) == (f"{name}#truncated", "too_large", None)
    assert "source.max_ratio" in str(rest.detail)
    assert sum(bytes_unpacked) < 300 << 20
    assert peak < MAX_MEMORY_BYTES


@pytest.fixture
def bytes_unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read of an archive gave, as the stream itself counts them."""
    from pipeline.sources import tar_stream

    counted: list[int] = []
    read = tar_stream.TarStream.read

    def count(stream: tar_stream.TarStream, num_bytes: int) -> bytes:
        before = stream.offset
        try:
            return read(stream, num_bytes)
        finally:
            counted.append(stream.offset - before)

    monkeypatch.setattr(tar_stream.TarStream, "read", count)
    return counted


def test_what_a_compressed_archive_may_unpack_to_is_a_setting(tmp_path: Path, collect: Collect) -> None:
    path = pack_zeros(tmp_path / "p.tgz", 8 << 20)
    assert [sample.path for sample in collect(path)] == ["p.tgz!zeros.gif", "p.tgz!after.gif"]
    samples = collect(path, max_archive_bytes=4 << 20, max_file_bytes=1 << 20)
    assert [(sample.path, sample.reason) for sample in samples] == [
        ("p.tgz!zeros.gif", "too_large"),
        ("p.tgz#truncated", "too_large"),
    ]


def test_a_plain_archive_is_as_large_as_it_is(write_tar: WriteTar, tmp_path: Path, collect: Collect) -> None:
    path = write_tar(tmp_path / "p.tar", ("a.gif", bytes(2 << 20)))
    assert [sample.reason for sample in collect(path, max_archive_bytes=1 << 20, max_ratio=1)] == [None]


def test_members_beyond_the_limit_are_one_account_of_the_rest(
    write_tar: WriteTar, tmp_path: Path, collect: Collect
) -> None:
    path = write_tar(tmp_path / "p.tar", *((f"{n}.gif", b"x") for n in range(5)))
    *whole, rest = collect(path, max_archive_members=3)
    assert [sample.media for sample in whole] == [b"x"] * 3
    assert (rest.path, rest.reason) == ("p.tar#truncated", "too_large")
    assert "source.max_archive_members" in str(rest.detail)
    assert len(collect(path, max_archive_members=5)) == 5


def test_extended_headers_that_speak_of_no_member_come_to_an_end(tmp_path: Path, collect: Collect) -> None:
    record = b"30 path=aaaaaaaaaaaaaaaaaaaaa\n"
    extended = header("x", len(record), tarfile.XHDTYPE) + record.ljust(512, b"\0")
    path = tmp_path / "p.tar"
    path.write_bytes(extended * 100_000 + bytes(1024))
    (rest,) = collect(path)
    assert rest.reason == "unreadable"
    assert "17 extended headers in a row" in str(rest.detail)


def test_an_archive_within_an_archive_is_one_file_of_bytes(
    write_tar: WriteTar, tmp_path: Path, collect: Collect
) -> None:
    inner = pack_zeros(tmp_path / "inner.tgz", 4 << 20).read_bytes()
    (sample,) = collect(write_tar(tmp_path / "p.tar", ("inner.tgz", inner)))
    assert sample.media == inner


def write_stickers(path: Path, num_stickers: int) -> Path:
    """Write an archive of tiny stickers, each with its label, as WebDataset does."""
    media, label = header("000000.gif", 3), header("000000.json", 16)
    with path.open("wb") as file:
        for number in range(num_stickers):
            name = b"%06d" % number
            file.write(renamed(media, name) + b"GIF".ljust(512, b"\0"))
            file.write(renamed(label, name) + b'{"label": "joy"}'.ljust(512, b"\0"))
        file.write(bytes(1024))
    return path


def renamed(block: bytes, name: bytes) -> bytes:
    """Return a header with another name of six digits; the checksum is a sum."""
    checksum = int(block[148:154], 8) + sum(name) - sum(b"000000")
    return name + block[6:148] + b"%06o" % checksum + block[154:]


def count_calls(path: Path) -> tuple[int, int]:
    """Read an archive and return its number of samples, and how many functions of ours were called for them."""
    num_calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal num_calls
        num_calls += event == "call"

    source = open_source(SourceConfig(path=str(path)))
    sys.setprofile(count)
    try:
        num_samples = sum(sample.label == "joy" for sample in source.samples())
    finally:
        sys.setprofile(None)
    return num_samples, num_calls


PEAK_OF_AN_ARCHIVE = """
import resource, sys
from pipeline.sources import SourceConfig, open_source

source = open_source(SourceConfig(path=sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
labels = sum(sample.label == "joy" and sample.media == b"GIF" for sample in source.samples())
print(labels, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_100_000_stickers_in_one_archive_all_arrive_in_little_memory(tmp_path: Path) -> None:
    path = write_stickers(tmp_path / "p.tar", 100_000)
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_AN_ARCHIVE, str(path)], capture_output=True, text=True, check=True
    )
    num_samples, kilobytes = map(int, done.stdout.split())
    assert num_samples == 100_000
    assert kilobytes < 24 << 10


def test_the_work_of_an_archive_grows_with_its_members_and_no_faster(tmp_path: Path) -> None:
    few, calls_of_few = count_calls(write_stickers(tmp_path / "few.tar", 1000))
    many, calls_of_many = count_calls(write_stickers(tmp_path / "many.tar", 4000))
    assert (few, many) == (1000, 4000)
    assert calls_of_many < 4.1 * calls_of_few


def test_one_description_of_many_neighbours_is_written_once(
    write_tar: WriteTar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = ("a.json", '{"label": "joy", "note": "' + "x" * 500_000 + '"}')
    path = write_tar(tmp_path / "p.tar", described, *((f"a.{n}.gif", b"x") for n in range(200)))
    samples, peak = read_with_peak(path)
    assert {sample.label for sample in samples} == {"joy"}
    assert len({id(sample.extra) for sample in samples}) == 1
    assert peak < MAX_MEMORY_BYTES


def test_names_of_a_megabyte_that_return_are_not_kept() -> None:
    mentions = Mentions()
    tracemalloc.start()
    try:
        for number in range(20):
            name = b"%d" % number + bytes(1 << 20)
            assert [mentions.count(name), mentions.count(name), mentions.count(name)] == [0, 1, 2]
        assert tracemalloc.get_traced_memory()[0] < 2 << 20
    finally:
        tracemalloc.stop()


def test_rows_that_a_footer_claims_need_bytes_behind_them(tmp_path: Path, collect: Collect) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"media": pa.nulls(2_000_000, pa.binary())}), path, row_group_size=2_000_000)
    with pytest.raises(UserError, match=r"claims 2,000,000 rows in [\d,]+ bytes, more than source.max_ratio"):
        collect(path)


def test_one_huge_value_shared_by_many_rows_is_unpacked_for_few_at_a_time(tmp_path: Path) -> None:
    size, num_rows = 16 << 20, 64
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * num_rows, pa.int32()), pa.array([bytes(size)], pa.binary()))
    path = tmp_path / "p.parquet"
    pq.write_table(
        pa.table({"media": shared}), path, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False
    )
    assert path.stat().st_size < 1 << 20
    source = open_source(SourceConfig(path=str(path), max_file_bytes=1 << 20))
    pool = pa.default_memory_pool()
    before, peak, reasons = pool.bytes_allocated(), 0, []
    for sample in source.samples():
        reasons.append(sample.reason)
        peak = max(peak, pool.bytes_allocated() - before)
    assert reasons == ["too_large"] * num_rows
    assert peak < 1.5 * MAX_SHARED_BYTES, "all rows at once would be 1 GiB"


def test_a_column_of_labels_shared_by_many_rows_is_unpacked_for_few_at_a_time(tmp_path: Path) -> None:
    size, num_rows = 2 << 20, 256
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * num_rows, pa.int32()), pa.array(["x" * size]))
    table = pa.table({"path": [f"{n}.gif" for n in range(num_rows)], "label": shared})
    pq.write_table(table, tmp_path / "labels.parquet", compression="zstd", dictionary_pagesize_limit=1 << 30)
    source = open_source(SourceConfig(path=str(tmp_path)))
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    first = next(iter(within_limits(source.samples(), source.config)))  # type: ignore[attr-defined]
    assert pool.bytes_allocated() - before < 1.5 * MAX_SHARED_BYTES, "all rows at once would be 512 MiB"
    assert (first.label, first.reason) == (None, "too_large")


@pytest.mark.parametrize("num_chars", [1000, 1001, 1_000_000])
def test_a_label_that_is_no_tag_is_quarantined_and_never_cut(num_chars: int) -> None:
    sample = Sample("k", "s", "a.gif", "喜" * num_chars, "{}", b"x", 1)
    (checked,) = within_limits([sample], SourceConfig(path="x"))
    if num_chars <= 1000:
        assert checked == sample
    else:
        assert (checked.label, checked.media, checked.reason) == (None, None, "too_large")
        assert checked.detail == f"a label of {num_chars:,} characters, source.max_label_chars allows 1,000"


def test_a_path_without_end_is_cut_for_people_and_keeps_its_key() -> None:
    sample = Sample("k", "s", "a" * 1_000_000, "joy", "{}", b"x", 1)
    (checked,) = within_limits([sample], SourceConfig(path="x"))
    assert len(checked.path) == MAX_PATH_CHARS
    assert (checked.key, checked.media, checked.label) == ("k", b"x", "joy")

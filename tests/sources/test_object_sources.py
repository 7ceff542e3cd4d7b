"""Sources in an object store: the same samples, keys and order as from the same files on a disk."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceConfig, open_source, read_ahead
from schemas import object_store
from schemas.errors import MachineFault, UserError
from schemas.sample import Sample
from tests.marked_store import serve_objects
from tests.s3 import S3Server

NUM_REAL = 24


@pytest.fixture
def real(corpus_sample: Path, tmp_path: Path) -> Path:
    """Some real GIFs in folders, where `a-b` sorts between `a` and the files of `a`."""
    lines = (corpus_sample / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    paths = [json.loads(line)["path"] for line in lines]
    folder = tmp_path / "real"
    for number, path in enumerate(paths[:: len(paths) // NUM_REAL][:NUM_REAL]):
        target = folder / ("a", "a-b", "a/b", "喜悦", "z z%2F+&?x=1")[number % 5] / f"{number} ü.gif"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(corpus_sample / path, target)
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=os.fsencode)


def write_labels(folder: Path, suffix: str) -> Path:
    names = [str(path.relative_to(folder)) for path in files_of(folder)][::-1]
    rows = [{"path": name, "label": f"l{len(name)}", "n": str(number)} for number, name in enumerate(names)]
    rows += [{**rows[0], "n": "again"}]
    rows += [{"path": path, "label": "x", "n": ""} for path in ("missing.gif", "a", "../out.gif", "n" * 1100)]
    if suffix == "jsonl":
        (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == "csv":
        lines = ["path,label,n", *(",".join(f'"{row[key]}"' for key in ("path", "label", "n")) for row in rows)]
        (folder / "labels.csv").write_text("\n".join(lines))
    else:
        pq.write_table(pa.Table.from_pylist(rows), folder / "labels.parquet", row_group_size=7)
    return folder


def write_tars(folder: Path, mode: str) -> Path:
    archives = folder.parent / "archives"
    archives.mkdir()
    for number in range(2):
        with tarfile.open(archives / f"{number}.tar{mode}", "w:gz" if mode == ".gz" else "w") as archive:
            for path in files_of(folder)[number::2]:
                archive.add(path, path.relative_to(folder))
        if mode == ".zst":
            plain = archives / f"{number}.tar.zst"
            plain.write_bytes(pa.compress(plain.read_bytes(), "zstd", asbytes=True))
    (archives / "9.tar").write_bytes((archives / f"0.tar{mode}").read_bytes()[:-20_000])  # cut off
    (archives / ".hidden.tar").write_bytes(b"")
    return archives


def write_parquet(folder: Path) -> Path:
    tables = folder.parent / "tables"
    tables.mkdir()
    for number in range(2):
        rows = [{"media": path.read_bytes(), "label": path.parent.name, "n": 1} for path in files_of(folder)[number::2]]
        pq.write_table(pa.Table.from_pylist(rows), tables / f"{number}.parquet", row_group_size=5)
    return tables


PILES: dict[str, Callable[[Path], Path]] = {
    "labels.jsonl": lambda folder: write_labels(folder, "jsonl"),
    "labels.csv": lambda folder: write_labels(folder, "csv"),
    "labels.parquet": lambda folder: write_labels(folder, "parquet"),
    "label_folders": lambda folder: folder,
    "tar": lambda folder: write_tars(folder, ""),
    "tar.gz": lambda folder: write_tars(folder, ".gz"),
    "tar.zst": lambda folder: write_tars(folder, ".zst"),
    "parquet": write_parquet,
    "one tar": lambda folder: write_tars(folder, "") / "1.tar",
    "one parquet": lambda folder: write_parquet(folder) / "0.parquet",
}


def put(place: Path, bucket: Path) -> str:
    """Copy a file or a folder into a bucket, and return its location there."""
    if place.is_file():
        shutil.copyfile(place, bucket / place.name)
    else:
        shutil.copytree(place, bucket / place.name)
    return f"s3://{bucket.name}/{place.name}"


@pytest.mark.parametrize("pile", PILES)
def test_a_source_is_the_same_in_a_store_as_on_a_disk(
    pile: str, real: Path, bucket: Path, collect: Callable[..., list[Sample]]
) -> None:
    place = PILES[pile](real)
    url = put(place, bucket)
    samples = collect(url)
    assert samples == collect(place)
    assert len(samples) >= 10
    assert sum(sample.media is not None for sample in samples) >= 10
    assert open_source(SourceConfig(path=url)).kind == open_source(SourceConfig(path=str(place))).kind
    known = {sample.key for sample in samples[1::2]}
    assert collect(url, skip=known) == samples[::2]
    small = {"max_file_bytes": sorted(sample.size_bytes for sample in samples)[-3]}
    assert collect(url, **small) == collect(place, **small)
    assert collect(f"file://{place}") == samples


def test_the_whole_sample_is_the_same_in_a_store(
    corpus_sample: Path, bucket: Path, collect: Callable[..., list[Sample]]
) -> None:
    url = put(corpus_sample, bucket)
    assert collect(url) == collect(corpus_sample)


def test_objects_that_mark_a_folder_are_no_samples_and_hidden_folders_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
    new_client: Callable[[], None],
    gif: Callable[[int], bytes],
    collect: Callable[..., list[Sample]],
) -> None:
    names = ["joy/a.gif", "joy/.b.gif", "joy.gif", ".git/c.gif"]
    marks = ["", "joy/", "empty/"]
    with serve_objects({f"pile/{name}": gif(1) if name in names else b"" for name in names + marks}) as address:
        for name, value in (S3Server(Path()).environment | {"AWS_ENDPOINT_URL": address}).items():
            monkeypatch.setenv(name, value)
        new_client()
        samples = collect("s3://bucket/pile")
    assert [(sample.path, sample.label, sample.media) for sample in samples] == [
        ("joy.gif", None, gif(1)),
        ("joy/.b.gif", "joy", gif(1)),
        ("joy/a.gif", "joy", gif(1)),
    ]


def test_a_bucket_may_be_a_source(
    bucket: Path, s3: S3Server, gif: Callable[[int], bytes], collect: Callable[..., list[Sample]]
) -> None:
    (bucket / "joy").mkdir()
    (bucket / "joy" / "a.gif").write_bytes(gif(1))
    (sample,) = collect(f"s3://{bucket.name}/")
    assert (sample.source, sample.path, sample.media) == (bucket.name, "joy/a.gif", gif(1))


def test_what_is_too_large_is_not_fetched(
    bucket: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch, collect: Callable[..., list[Sample]]
) -> None:
    read: list[str] = []
    real_read = object_store.read
    monkeypatch.setattr(object_store, "read", lambda protocol, key: read.append(key) or real_read(protocol, key))
    (bucket / "joy").mkdir()
    for number in range(5):
        (bucket / "joy" / f"{number}.gif").write_bytes(b"x" * (10 + number))
    samples = collect(f"s3://{bucket.name}", max_file_bytes=12)
    assert [sample.reason for sample in samples] == [None, None, None, "too_large", "too_large"]
    assert sorted(read) == [f"{bucket.name}/joy/{number}.gif" for number in range(3)]


@pytest.mark.parametrize("path", ["no-such-bucket-here", "{bucket}/nothing", "{bucket}/labels.jsonl/x"])
def test_a_source_that_is_not_there_is_the_users_error(path: str, bucket: Path, s3: S3Server) -> None:
    (bucket / "labels.jsonl").write_text("{}")
    with pytest.raises(UserError, match=r"source\.path .*no such file or folder"):
        open_source(SourceConfig(path="s3://" + path.format(bucket=bucket.name)))


def test_denied_access_names_the_key_of_the_config(
    bucket: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch, new_client: Callable[[], None]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    new_client()
    with pytest.raises(UserError, match=r"source\.path s3://.*access denied") as caught:
        open_source(SourceConfig(path=f"s3://{bucket.name}/a"))
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("pile", ["labels.jsonl", "label_folders", "tar", "tar.zst", "parquet"])
def test_a_store_that_goes_away_while_a_source_is_read_is_the_machines_fault(
    pile: str,
    real: Path,
    bucket: Path,
    s3: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    new_client: Callable[[], None],
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(read_ahead, "NUM_READERS", 1)
    monkeypatch.setattr(object_store, "BLOCK_BYTES", 1 << 12)
    new_client()
    samples = open_source(SourceConfig(path=put(PILES[pile](real), bucket))).samples()
    next(samples)
    s3.kill()
    with pytest.raises(MachineFault):
        list(samples)


def test_a_missing_folder_marks_nobody(
    bucket: Path, s3: S3Server, gif: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "NUM_READERS", 1)
    pile = bucket / "pile"
    pile.mkdir()
    for number in range(40):
        (pile / f"{number}.gif").write_bytes(gif(number))
    rows = [{"path": f"{number}.gif", "label": "x"} for number in range(40)]
    (pile / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    samples = open_source(SourceConfig(path=f"s3://{bucket.name}/pile")).samples()
    assert next(samples).media == gif(0)
    shutil.rmtree(pile)
    with pytest.raises(MachineFault, match="itself is gone"):
        list(samples)

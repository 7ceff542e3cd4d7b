"""The corpus through sources: every file, every label, every awkward name."""

import hashlib
import json
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path

from pipeline.sources import SourceConfig, open_source


def test_the_sample_corpus_is_read_whole_with_its_labels(corpus_sample: Path) -> None:
    listed = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    source = open_source(SourceConfig(path=str(corpus_sample)))
    samples = list(source.samples())
    assert (source.kind, len(samples), len({sample.key for sample in samples})) == ("labels", 531, 531)
    for row, sample in zip(listed, samples, strict=True):
        assert (sample.path, sample.label, sample.reason) == (row["path"], row["label"], None)
        assert sample.media is not None
        assert hashlib.sha256(sample.media).hexdigest() == row["sha256"]
        assert sample.size_bytes == row["bytes"]
        extra = json.loads(sample.extra)
        assert extra == {name: value for name, value in row.items() if name not in ("path", "label")}


def test_the_sample_corpus_as_label_folders_is_the_same_media(corpus_sample: Path) -> None:
    listed = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    samples = list(open_source(SourceConfig(path=str(corpus_sample), kind="label_folders")).samples())
    gifs = [sample for sample in samples if sample.path.endswith(".gif")]
    assert [sample.path for sample in gifs] == sorted(row["path"] for row in listed)
    assert Counter(sample.label for sample in gifs) == Counter(row["path"].split("/")[0] for row in listed)


def test_the_hostile_corpus_is_read_file_by_file(corpus_hostile: Path) -> None:
    samples = list(open_source(SourceConfig(path=str(corpus_hostile))).samples())
    on_disk = [path for path in corpus_hostile.rglob("*") if path.is_file()]
    assert len(samples) == len(on_disk)
    assert all(sample.reason is None for sample in samples)
    assert {sample.path: sample.size_bytes for sample in samples} == {
        str(path.relative_to(corpus_hostile)): path.stat().st_size for path in on_disk
    }


def test_the_ten_awkward_names_are_ten_samples(corpus_hostile: Path) -> None:
    samples = list(open_source(SourceConfig(path=str(corpus_hostile / "names.tar"))).samples())
    with tarfile.open(corpus_hostile / "names.tar") as archive:
        members = [member for member in archive if member.isfile()]
        contents = [archive.extractfile(member).read() for member in members]  # type: ignore[union-attr]
    assert [sample.path for sample in samples] == [f"names.tar!{member.name}" for member in members]
    assert [sample.media for sample in samples] == contents
    assert {sample.label for sample in samples} == {"names"}
    assert len({sample.key for sample in samples}) == 10
    assert len({unicodedata.normalize("NFC", sample.path) for sample in samples}) >= 9

"""A set in another format, read back with that format's own package, has the same pictures, delays and captions."""

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import webdataset

from pipeline.export.columns import TRAINING_SETS
from pipeline.export.formats.convert import convert_set
from pipeline.export.formats.gif_folder import METADATA, to_clip
from pipeline.export.formats.writer import FormatConfig
from pipeline.media.decode import decode_clip, scan_media
from pipeline.root import DatasetRoot
from tests.export.small_set import LABELS, NUM_COLOURFUL, read_rows

SHARD_BYTES = 2000
STREAMING = "MOBIUS_STREAMING_PYTHON"  # an interpreter whose environment has mosaicml-streaming

Export = Callable[..., Path]


@pytest.fixture
def export(small_root: Path, tmp_path: Path) -> Export:
    def write(format_name: str, name: str = "t2v") -> Path:
        out = tmp_path / f"{format_name}-{name}"
        config = FormatConfig(shard_bytes=SHARD_BYTES)
        num = convert_set(
            DatasetRoot(small_root), TRAINING_SETS[name], str(out), format_name=format_name, config=config
        )
        assert num == len(LABELS)
        return out

    return write


def expected(root: Path, name: str = "t2v") -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the columns of the set without its pictures, and the pictures."""
    rows = read_rows(root, name)
    return rows, [row.pop(TRAINING_SETS[name].picture)["bytes"] for row in rows]


def test_webdataset_comes_back_whole_and_in_order(export: Export, small_root: Path) -> None:
    out = export("webdataset")
    tars = sorted(map(str, out.glob("t2v-*.tar")))
    assert len(tars) > 2
    samples = list(webdataset.WebDataset(tars, shardshuffle=False, empty_check=False))
    rows, pictures = expected(small_root)
    assert [json.loads(sample["json"]) for sample in samples] == rows
    assert [sample["webp"] for sample in samples] == pictures
    assert [sample["__key__"] for sample in samples] == [row["key"] for row in rows]


def test_webdataset_writes_equal_files_each_time_with_no_time_in_them(export: Export, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in export("webdataset").glob("*.tar")}
    (tmp_path / "webdataset-t2v").rename(tmp_path / "before")
    second = export("webdataset")
    assert {path.name: path.read_bytes() for path in second.glob("*.tar")} == first
    with tarfile.open(next(second.glob("*.tar"))) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}


def test_lance_comes_back_whole_and_in_order(export: Export, small_root: Path) -> None:
    lance = pytest.importorskip("lance", reason="pip install -c constraints.txt -e '.[formats]'")
    found = lance.dataset(str(export("lance"))).to_table().to_pylist()
    rows, pictures = expected(small_root)
    assert [row.pop("animation") for row in found] == pictures
    assert found == rows


def test_mds_has_what_its_description_says(export: Export, small_root: Path) -> None:
    rows, pictures = expected(small_root)
    found = read_mds(export("mds"))
    assert [row.pop("animation") for row in found] == pictures
    assert found == rows


@pytest.mark.skipif(STREAMING not in os.environ, reason=f"{STREAMING}: an interpreter that has mosaicml-streaming")
def test_mds_comes_back_from_the_package_itself(export: Export, small_root: Path) -> None:
    rows, pictures = expected(small_root)
    script = (
        "import json, sys\n"
        "from streaming import StreamingDataset\n"
        "for row in StreamingDataset(local=sys.argv[1], batch_size=1, shuffle=False):\n"
        "    print(json.dumps({**row, 'animation': row['animation'].hex()}))\n"
    )
    command = [os.environ[STREAMING], "-c", script, str(export("mds"))]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [bytes.fromhex(row.pop("animation")) for row in found] == pictures
    assert found == rows


def test_gifs_have_the_same_frames_delays_and_loops_as_far_as_gif_can_say_them(
    export: Export, small_root: Path
) -> None:
    out = export("gif-folder")
    lines = (out / METADATA).read_text(encoding="utf-8").split("\n")
    metadata = [json.loads(line) for line in lines[:-1]]
    rows, pictures = expected(small_root)
    files = [row.pop("file_name") for row in metadata]
    assert metadata == rows
    for number, (row, picture, file) in enumerate(zip(rows, pictures, files, strict=True)):
        gif = (out / file).read_bytes()
        before, after = to_clip(row, picture), decode_clip(gif)
        assert (after.delays_ms, after.run_lengths) == (before.delays_ms, before.run_lengths)
        assert scan_media(gif).loop_count == row["loop_count"]
        if number < len(rows) - NUM_COLOURFUL:
            assert np.array_equal(after.frames, before.frames)
        else:
            difference = np.abs(after.frames.astype(int) - before.frames)
            assert 0 < difference.mean() < 12, "noise: the worst there is"


def test_the_gif_folder_opens_as_one_split_of_pictures_whatever_its_labels_say(
    export: Export, small_root: Path, tmp_path: Path
) -> None:
    out = export("gif-folder")
    assert sum(len(list(folder.glob("*.gif"))) for folder in out.iterdir() if folder.is_dir()) == len(LABELS)
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    rows, _ = expected(small_root)
    assert loaded["train"]["label"] == [row["label"] for row in rows]
    assert loaded["train"][0]["image"].n_frames == len(rows[0]["delays_ms"])
    assert loaded["train"]["delays_ms"] == [row["delays_ms"] for row in rows]


def test_webdataset_opens_in_hugging_face_too(export: Export, small_root: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(export("webdataset")), split="train", cache_dir=str(tmp_path / "cache"))
    rows, _ = expected(small_root)
    assert loaded["__key__"] == [row["key"] for row in rows]
    assert loaded[0]["webp"].n_frames == len(rows[0]["run_lengths"])


@pytest.mark.parametrize("format_name", ["webdataset", "mds", "gif-folder"])
def test_first_frames_can_be_had_in_any_format(export: Export, small_root: Path, format_name: str) -> None:
    out = export(format_name, "t2i")
    rows, pictures = expected(small_root, "t2i")
    if format_name == "webdataset":
        samples = webdataset.WebDataset(sorted(map(str, out.glob("*.tar"))), shardshuffle=False, empty_check=False)
        assert [sample["webp"] for sample in samples] == pictures
    elif format_name == "mds":
        assert [row["image"] for row in read_mds(out)] == pictures
    else:
        lines = (out / METADATA).read_text(encoding="utf-8").split("\n")[:-1]
        gif = (out / json.loads(lines[0])["file_name"]).read_bytes()
        assert np.array_equal(decode_clip(gif).frames, decode_clip(pictures[0]).frames)
    assert len(rows) == len(LABELS)


def read_mds(folder: Path) -> list[dict[str, Any]]:
    """Read shards as MosaicML Streaming documents them, from nothing but the index."""
    decoders: dict[str, Callable[[bytes], Any]] = {"str": bytes.decode, "bytes": bytes, "json": json.loads}
    index = json.loads((folder / "index.json").read_bytes())
    assert index["version"] == 2
    assert len(index["shards"]) > 1
    rows = []
    for shard in index["shards"]:
        content = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(content) == shard["raw_data"]["bytes"]
        names, encodings = shard["column_names"], shard["column_encodings"]
        (num,) = np.frombuffer(content, "<u4", 1)
        assert num == shard["samples"]
        offsets = np.frombuffer(content, "<u4", num + 1, 4)
        for begin, end in pairwise(offsets):
            sample = content[begin:end]
            ends = 4 * len(names) + np.cumsum(np.frombuffer(sample, "<u4", len(names)))
            starts = [4 * len(names), *ends[:-1]]
            assert ends[-1] == len(sample)
            rows.append(
                {
                    name: decoders[encoding](sample[start:stop])
                    for name, encoding, start, stop in zip(names, encodings, starts, ends, strict=True)
                }
            )
    return rows

"""Ingest writes every input once, cuts shards by the config, and appends what is new."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import IngestConfig, KnownKeys, ingest_source
from pipeline.root import DatasetRoot
from pipeline.sources import SourceConfig
from schemas.errors import Stopped
from schemas.location import ObjectPath
from tests.media.gifs import GREEN, RED, encode_gif
from tests.s3 import S3Server

GIF = encode_gif([RED, GREEN])


def write_source(folder: Path, names: range) -> SourceConfig:
    folder.mkdir(exist_ok=True)
    for number in names:
        (folder / f"{number:03d}.gif").write_bytes(GIF + bytes([number]))
    rows = [{"path": path.name, "label": "joy"} for path in sorted(folder.glob("*.gif"))]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return SourceConfig(path=str(folder), name="s")


def test_shards_and_row_groups_are_cut_by_the_config(tmp_path: Path) -> None:
    source = write_source(tmp_path / "s", range(25))
    root = DatasetRoot(tmp_path / "root")
    config = IngestConfig(max_shard_samples=10, max_row_group_samples=4)
    assert ingest_source(root, source, config=config) == 25
    manifest = root.read_manifest()
    assert [(shard.num_samples, shard.num_row_groups) for shard in manifest.shards] == [
        (8, 2),
        (8, 2),
        (9, 3),
    ]
    table = pq.read_table(root.path / "media")
    assert table["media"].to_pylist() == [GIF + bytes([number]) for number in range(25)]
    assert table["media"].type == pa.large_binary()


def test_files_added_later_append_shards_and_leave_the_others_alone(tmp_path: Path) -> None:
    root = DatasetRoot(tmp_path / "root")
    ingest_source(root, write_source(tmp_path / "s", range(5)), config=IngestConfig())
    before = root.shard_path("00000").read_bytes()
    assert ingest_source(root, write_source(tmp_path / "s", range(8)), config=IngestConfig()) == 3
    assert ingest_source(root, write_source(tmp_path / "s", range(8)), config=IngestConfig()) == 0
    assert root.shard_path("00000").read_bytes() == before
    assert [shard.num_samples for shard in root.read_manifest().shards] == [5, 3]


def test_a_shard_that_the_manifest_does_not_know_is_written_again(tmp_path: Path) -> None:
    """A kill between the shard and the manifest leaves a whole file that nobody counts."""
    source = write_source(tmp_path / "s", range(5))
    whole, killed = DatasetRoot(tmp_path / "whole"), DatasetRoot(tmp_path / "killed")
    ingest_source(whole, source, config=IngestConfig())
    ingest_source(killed, source, config=IngestConfig())
    killed.manifest_path.unlink()
    assert ingest_source(killed, source, config=IngestConfig()) == 5
    assert killed.read_manifest() == whole.read_manifest()
    assert killed.shard_path("00000").read_bytes() == whole.shard_path("00000").read_bytes()


hex_keys = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.lists(hex_keys, max_size=30), st.lists(hex_keys, max_size=10))
def test_known_keys_holds_what_was_put_in_and_nothing_else(put_in: list[str], others: list[str]) -> None:
    known = KnownKeys([pa.array(put_in[:7], pa.string()), pa.array(put_in[7:], pa.string())])
    assert all(key in known for key in put_in)
    assert [key in known for key in others] == [key in set(put_in) for key in others]


def test_a_source_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """The shards are taken away: whoever read the source again would look for its keys in them."""
    root = DatasetRoot(tmp_path / "root")
    source = write_source(tmp_path / "s", range(5))
    ingest_source(root, source, config=IngestConfig())
    before = root.read_manifest()
    shutil.rmtree(root.path / "media")
    assert ingest_source(root, source, config=IngestConfig()) == 0
    assert root.read_manifest() == before
    with pytest.raises(FileNotFoundError):
        ingest_source(root, write_source(tmp_path / "s", range(6)), config=IngestConfig())


def test_a_source_whose_reading_was_stopped_is_read_again(tmp_path: Path) -> None:
    def stop(num_samples: int) -> None:
        if num_samples >= 6:
            raise Stopped

    root = DatasetRoot(tmp_path / "root")
    source = write_source(tmp_path / "s", range(12))
    config = IngestConfig(max_shard_samples=2, max_row_group_samples=2)
    with pytest.raises(Stopped):
        ingest_source(root, source, config=config, follow=stop)
    assert root.read_manifest().source_states == {}
    kept = root.read_manifest().num_samples
    assert 0 < kept < 12
    assert ingest_source(root, source, config=config) == 12 - kept
    assert list(root.read_manifest().source_states) == ["s"]


def test_a_manifest_of_before_states_is_read_and_its_source_once_more(tmp_path: Path) -> None:
    root = DatasetRoot(tmp_path / "root")
    source = write_source(tmp_path / "s", range(5))
    ingest_source(root, source, config=IngestConfig())
    old = json.loads(root.manifest_path.read_text())
    states = old.pop("source_states")
    root.manifest_path.write_text(json.dumps(old))
    assert ingest_source(root, source, config=IngestConfig()) == 0
    assert root.read_manifest().source_states == states


def test_from_a_store_into_a_store_the_shards_are_the_same(tmp_path: Path, bucket: Path, s3: S3Server) -> None:
    config = IngestConfig(max_shard_samples=10, max_row_group_samples=4)
    on_disk = DatasetRoot(tmp_path / "root")
    ingest_source(on_disk, write_source(tmp_path / "s", range(25)), config=config)
    write_source(bucket / "s", range(25))
    source = SourceConfig(path=f"s3://{bucket.name}/s", name="s")
    in_store = DatasetRoot(ObjectPath("s3", bucket.name) / "root")
    assert ingest_source(in_store, source, config=config) == 25
    assert ingest_source(in_store, source, config=config) == 0
    assert in_store.read_manifest().shards == on_disk.read_manifest().shards
    for shard in on_disk.read_manifest().shards:
        assert in_store.shard_path(shard.name).read_bytes() == on_disk.shard_path(shard.name).read_bytes()

"""The 531 real files end to end: every one accounted for, the sets as promised, the shards open everywhere."""

import io
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.media.decode import decode_clip
from tests.flows.mobius import Mobius, read_set


@pytest.fixture(scope="module")
def labels(corpus_sample: Path) -> dict[str, dict[str, object]]:
    rows = map(json.loads, (corpus_sample / "labels.jsonl").read_text().splitlines())
    return {row["path"]: row for row in rows}


def test_all_531_are_accounted_for(mobius: Mobius, curated_sample: Path) -> None:
    ledger = mobius.json("status", str(curated_sample))
    assert ledger["ingested"] == 531
    assert ledger["balanced"]
    assert ledger["pending"] == 0
    quarantined = sum(sum(reasons.values()) for reasons in ledger["quarantined"].values())
    assert ledger["exported"]["t2i"] + sum(ledger["rejected"].values()) + quarantined == 531
    assert ledger["quarantined"] == {}, "all of them are good files"
    fates = pq.read_table(curated_sample / "fates.parquet")
    assert len(set(fates["key"].to_pylist())) == fates.num_rows == 531


def test_t2v_holds_moving_clips_with_their_stored_frame_counts(
    curated_sample: Path, labels: dict[str, dict[str, object]]
) -> None:
    rows = read_set(curated_sample, "t2v")
    assert len(rows) > 300
    for row in rows:
        assert row["num_frames"] == labels[str(row["path"])]["frames"]
        assert row["num_frames"] == len(row["delays_ms"]) == sum(row["run_lengths"])
        assert row["num_frames"] > 4
        assert row["video_caption"]
        assert row["summary_zh"]
    assert any(row["path"].startswith("noto-original/") for row in rows)


def test_static_files_are_in_t2i_only(curated_sample: Path, labels: dict[str, dict[str, object]]) -> None:
    static = {path for path, row in labels.items() if row["frames"] == 1}
    assert len(static) >= 21
    assert not static & {row["path"] for row in read_set(curated_sample, "t2v")}
    t2i = {row["path"] for row in read_set(curated_sample, "t2i")}
    rejected = {
        row["path"] for row in pq.read_table(curated_sample / "fates.parquet").to_pylist() if row["fate"] == "rejected"
    }
    assert static - rejected <= t2i


def test_further_columns_of_the_source_come_along(curated_sample: Path, labels: dict[str, dict[str, object]]) -> None:
    row = read_set(curated_sample, "t2i")[0]
    extra = json.loads(str(row["extra"]))
    assert extra["license"] == labels[str(row["path"])]["license"]
    assert extra["sha256"] == row["bytes_hash"]


def test_uncleaned_clips_are_exported_without_loss(curated_sample: Path, corpus_sample: Path) -> None:
    rows = [row for row in read_set(curated_sample, "t2v") if row["clean_outcome"] != "cleaned"]
    assert len(rows) > 100
    for row in rows[::17]:
        original = decode_clip((corpus_sample / str(row["path"])).read_bytes())
        exported = decode_clip(row["animation"]["bytes"])
        assert np.array_equal(exported.frames, original.frames)
        assert tuple(row["run_lengths"]) == original.run_lengths


def test_manifest_and_card_describe_the_files(curated_sample: Path) -> None:
    for name in ("t2i", "t2v"):
        manifest = json.loads((curated_sample / name / "manifest.json").read_text())
        assert {file["name"] for file in manifest["files"]} == {
            path.name for path in (curated_sample / name).glob("*.parquet")
        }
        assert set(manifest["fingerprints"]) >= {"probe", "text", "clean", "image_caption", "translation"}
        card = (curated_sample / name / "README.md").read_text()
        for column in pq.read_schema(curated_sample / name / manifest["files"][0]["name"]).names:
            assert f"`{column}`" in card
        assert f"{manifest['num_samples']:,} samples" in card


def test_files_have_page_index_plain_media_and_their_config_in_the_footer(curated_sample: Path) -> None:
    path = next((curated_sample / "t2v").glob("*.parquet"))
    metadata = pq.read_metadata(path)
    columns = {}
    for number in range(metadata.num_columns):
        column = metadata.row_group(0).column(number)
        columns[column.path_in_schema] = column
    assert columns["animation.bytes"].compression == "UNCOMPRESSED"
    assert columns["video_caption"].compression == "ZSTD"
    assert columns["key"].has_offset_index
    assert columns["key"].has_column_index
    footer = pq.read_schema(path).metadata
    assert footer[b"mobius.schema_version"] == b"1"
    config = json.loads(footer[b"mobius.config"])
    assert config["select"]["min_label_count"] == 5
    assert "root" not in config
    assert "source" not in config


def test_duckdb_opens_the_shards(curated_sample: Path) -> None:
    counted = duckdb.sql(
        f"SELECT label, count(*) AS n, avg(num_frames) FROM '{curated_sample}/t2v/*.parquet' GROUP BY label"
    ).fetchall()
    assert sum(n for _, n, _ in counted) == len(read_set(curated_sample, "t2v"))
    assert min(n for _, n, _ in counted) >= 1


def test_pandas_opens_the_shards(curated_sample: Path) -> None:
    frame = pd.concat(map(pd.read_parquet, sorted((curated_sample / "t2i").glob("*.parquet"))))
    with Image.open(io.BytesIO(frame["image"][0]["bytes"])) as image:
        assert image.size == (frame["width"][0], frame["height"][0])
    assert frame["image_caption_zh"].str.len().min() > 0


def test_polars_opens_the_shards(curated_sample: Path) -> None:
    frame = pl.scan_parquet(curated_sample / "t2v" / "*.parquet").select(
        "label", "num_frames", pl.col("animation").struct.field("bytes").bin.size().alias("size")
    )
    collected = frame.filter(pl.col("num_frames") > 20).collect()
    assert 0 < collected.height < len(read_set(curated_sample, "t2v"))
    assert collected["size"].min() > 0


def test_hugging_face_datasets_shows_pictures_as_pictures(
    curated_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    t2i = datasets.load_dataset(str(curated_sample / "t2i"), split="train", cache_dir=str(tmp_path))
    assert isinstance(t2i.features["image"], datasets.Image)
    assert t2i[0]["image"].size == (t2i[0]["width"], t2i[0]["height"])
    t2v = datasets.load_dataset(str(curated_sample / "t2v"), split="train", cache_dir=str(tmp_path))
    row = next(row for row in t2v if row["num_distinct_frames"] > 5)
    assert row["animation"].n_frames == row["num_distinct_frames"]


def test_sweep_at_the_configured_thresholds_equals_the_export(mobius: Mobius, curated_sample: Path) -> None:
    rows = mobius.json("select", str(curated_sample), "--sweep")
    configured = {"min_frames": 5, "max_text_area": 0.25, "min_label_count": 5}
    (row,) = [row for row in rows if configured.items() <= row.items()]
    assert row["num_samples"] == len(read_set(curated_sample, "t2v"))
    shown = mobius.ok("select", str(curated_sample), "--sweep")
    assert f"{row['num_samples']} ({row['num_labels']})" in shown


def test_select_tries_other_thresholds_without_writing(mobius: Mobius, curated_sample: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in curated_sample.rglob("*"))
    none = mobius.json("select", str(curated_sample), "select.min_label_count=1001")
    assert none["chosen"]["t2v"] == 0
    assert none["rejected"]["t2v"]["rare_label"] > 400
    assert sorted((path, path.stat().st_mtime_ns) for path in curated_sample.rglob("*")) == before


def test_fates_list_every_rejected_file_with_its_reason(mobius: Mobius, curated_sample: Path) -> None:
    ledger = mobius.json("status", str(curated_sample))
    rejected = mobius.json("fates", str(curated_sample), "--fate", "rejected", "--limit", "0")
    assert len(rejected) == sum(ledger["rejected"].values())
    assert {row["why"] for row in rejected} == set(ledger["rejected"])
    assert "few_frames" in mobius.ok("fates", str(curated_sample), "--reason", "few_frames")

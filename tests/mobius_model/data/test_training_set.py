"""What is wrong with a set is said in one sentence, before anything is computed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mobius_model.data.clips import open_clips, require_one_batch
from mobius_model.data.training_set import open_training_set
from schemas.errors import UserError
from schemas.storage import file_sha256
from tests.mobius_model.data.tiny_root import key_of, small_config, tiny_clip, write_set

FIRST = "00000-00.parquet"


@pytest.fixture
def root(tiny_root: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(tiny_root, tmp_path / "root"))


def edit_manifest(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = root / "t2v" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def refusal(root: Path, **changes: object) -> str:
    """Open, and return the one sentence."""
    with pytest.raises(UserError) as caught:
        open_clips(root, stage="t2v", config=small_config(**changes))
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_a_set_knows_its_samples_and_row_groups(tiny_root: Path) -> None:
    training_set = open_training_set(tiny_root, "t2v")
    assert training_set.num_samples == 30
    assert [group.num_rows for group in training_set.row_groups] == [4, 4, 4, 4, 4, 4, 4, 2]
    assert training_set.read(3, ["key"])["key"].to_pylist() == [key_of(number) for number in range(12, 16)]


def test_identity_follows_content_and_not_place(tiny_root: Path, root: Path, tmp_path: Path) -> None:
    identity = open_training_set(tiny_root, "t2v").identity
    assert open_training_set(root, "t2v").identity == identity
    assert open_training_set(tiny_root, "t2i").identity != identity
    other = write_set(tmp_path / "other", "t2v", [tiny_clip(number) for number in range(3)])
    assert open_training_set(other, "t2v").identity != identity


def test_missing_root(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").endswith("no such folder, expected a dataset root made by `mobius curate`")


def test_missing_manifest(root: Path) -> None:
    shutil.rmtree(root / "t2v")
    assert refusal(root) == f"{root}/t2v/manifest.json: missing, export the set with `mobius curate` first"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shards": []}', "\x00"])
def test_foreign_manifest(root: Path, text: str) -> None:
    (root / "t2v" / "manifest.json").write_text(text)
    assert refusal(root).endswith("not an export manifest of this project")


def test_manifest_of_the_other_set(root: Path) -> None:
    shutil.copy(root / "t2i" / "manifest.json", root / "t2v" / "manifest.json")
    assert refusal(root).endswith("manifest of set 't2i', expected 't2v'")


def test_manifest_of_another_schema_version(root: Path) -> None:
    edit_manifest(root, lambda manifest: manifest.update(schema_version=2, something_new=1))
    assert refusal(root).endswith("schema version 2, this program reads 1")


def test_missing_file(root: Path) -> None:
    (root / "t2v" / FIRST).unlink()
    assert refusal(root) == f"{root}/t2v/{FIRST}: missing, though the manifest lists it"


def test_a_name_that_leaves_the_folder(root: Path) -> None:
    edit_manifest(root, lambda manifest: manifest["files"][0].update(name=f"../t2i/{FIRST}"))
    assert "missing, though the manifest lists it" in refusal(root)


def test_wrong_size(root: Path) -> None:
    path = root / "t2v" / FIRST
    path.write_bytes(path.read_bytes() + b"x")
    assert refusal(root, verify="size").startswith(f"{path}: {path.stat().st_size} bytes, the manifest says ")


def test_wrong_hash(root: Path) -> None:
    path = root / "t2v" / FIRST
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert refusal(root).startswith(f"{path}: sha256 {file_sha256(path)}, the manifest says ")


def test_a_file_that_is_not_parquet(root: Path) -> None:
    path = root / "t2v" / FIRST
    path.write_bytes(b"x" * path.stat().st_size)
    assert refusal(root, verify="size") == f"{path}: not a readable Parquet file"


def test_pages_that_are_damaged_though_the_size_is_right(root: Path) -> None:
    path = root / "t2v" / FIRST
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-footer] = b"\xff" * (len(content) - footer - 4)
    path.write_bytes(content)
    assert refusal(root, verify="size") == f"{path}: not a readable Parquet file"


def test_a_file_of_another_export(root: Path, tmp_path: Path) -> None:
    other = write_set(tmp_path / "other", "t2v", [tiny_clip(number) for number in range(30)], plan="fedcba987654")
    shutil.copy(other / "t2v" / FIRST, root / "t2v" / FIRST)
    assert "belongs to plan fedcba987654" in refusal(root, verify="size")


def test_missing_column(root: Path) -> None:
    path = root / "t2v" / FIRST
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["run_lengths"]), path, row_group_size=4)
    described = {"size_bytes": path.stat().st_size, "sha256": file_sha256(path)}
    edit_manifest(root, lambda manifest: manifest["files"][0].update(described))
    assert refusal(root) == f"{path}: no column `run_lengths`, which training reads"


def test_a_caption_that_the_set_does_not_have(tiny_root: Path) -> None:
    with pytest.raises(UserError, match="no column `summary`"):
        open_clips(tiny_root, stage="t2i", config=small_config(caption="summary", language="en"))


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_captions_missing_for_some(tmp_path: Path, empty: str | None) -> None:
    clips = [tiny_clip(number) for number in range(10)]
    for number in (6, 7):
        clips[number] = replace(clips[number], changes={"summary_zh": empty})
    root = write_set(tmp_path / "root", "t2v", clips)
    assert f"2 of 10 samples have no `summary_zh`, the first is {key_of(6)}" in refusal(root)
    assert open_clips(root, stage="t2v", config=small_config(language="en")).num_train > 0


def test_an_empty_set(tmp_path: Path) -> None:
    assert refusal(write_set(tmp_path / "root", "t2v", [])).endswith("no samples to train on")


def test_fewer_samples_than_one_step_takes(tiny_root: Path) -> None:
    clips = open_clips(tiny_root, stage="t2v", config=small_config(validation_fraction=0))
    require_one_batch(clips, batch_size=15, num_ranks=2)
    with pytest.raises(UserError, match="30 samples to train on, one step takes 32: 8 in a batch x 2 ranks x 2"):
        require_one_batch(clips, batch_size=8, num_ranks=2, num_accumulated=2)


def test_a_set_exported_anew_while_it_is_read_is_noticed(root: Path, tmp_path: Path) -> None:
    clips = open_clips(root, stage="t2v", config=small_config())
    shutil.rmtree(root / "t2v")
    write_set(root, "t2v", [tiny_clip(number) for number in range(30)], plan="fedcba987654")
    with pytest.raises(UserError, match="belongs to plan fedcba987654"):
        next(clips.micro_batches(seed=0, batch_size=2))


def test_a_picture_that_is_not_what_its_row_says_names_file_and_key(tmp_path: Path) -> None:
    bad = replace(tiny_clip(0, num_frames=3), changes={"run_lengths": [1, 2]})
    root = write_set(tmp_path / "root", "t2v", [bad])
    clips = open_clips(root, stage="t2v", config=small_config())
    with pytest.raises(UserError) as caught:
        next(clips.micro_batches(seed=0, batch_size=1))
    assert str(caught.value) == f"{root}/t2v/{FIRST}: sample {bad.key}: 3 frames, its row says 2"

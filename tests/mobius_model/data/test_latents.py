"""Latents: what is computed once equals what would be computed in training, and stale ones are never used."""

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

import mobius_model.data.precompute
from mobius_model.data.clips import Clips, LatentBatch, PixelBatch, open_clips
from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.latents import LatentSet, find_latents, latents_fingerprint, open_latents
from mobius_model.data.precompute import precompute
from schemas.errors import UserError
from schemas.storage import file_sha256
from tests.mobius_model.data.tiny_base import MAX_TOKENS, TinyBase, tiny_base
from tests.mobius_model.data.tiny_root import key_of, small_config, tiny_clip, write_set

NUM_CLIPS = 20


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TinyBase:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def written(base: TinyBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 clips in t2i and t2v, both with latents; nobody may write here."""
    root = tmp_path_factory.mktemp("latents") / "root"
    clips = [tiny_clip(number) for number in range(NUM_CLIPS)]
    for stage in ("t2i", "t2v"):
        write_set(root, stage, clips)
        run(root, base, stage=stage)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(written, tmp_path / "root"))


def run(root: Path, base: TinyBase, *, stage: Stage = "t2v", data: DataConfig | None = None) -> LatentSet:
    return precompute(root, stage=stage, data=data or small_config(), base=base, batch_size=7, device="cpu")


def find(root: Path, base: TinyBase, *, stage: Stage = "t2v", **changes: object) -> LatentSet | None:
    return find_latents(root, stage=stage, config=small_config(**changes), base_identity=base.identity)


def both(root: Path, base: TinyBase, *, stage: Stage = "t2v", **changes: object) -> tuple[Clips, Clips]:
    """The same clips as pixels and as latents."""
    config = small_config(**changes)
    latents = find(root, base, stage=stage, **changes)
    assert latents is not None
    return open_clips(root, stage=stage, config=config), open_clips(root, stage=stage, config=config, latents=latents)


@torch.no_grad()
def assert_encoded(batch: LatentBatch, pixels: PixelBatch, base: TinyBase) -> None:
    assert batch.keys == pixels.keys
    flat = pixels.pixels.flatten(0, 1)  # B F -> (B F)
    latents = base.vae.encode(flat).latent_dist
    for stored, computed in ((batch.mean, latents.mean), (batch.std, latents.std)):
        expected = (computed * 0.5).unflatten(0, pixels.pixels.shape[:2]).movedim(2, 1)  # B C F H W
        assert stored.shape == expected.shape
        assert torch.allclose(stored, expected, atol=2e-3)
    embedded = base.text.encode(pixels.captions)
    assert batch.encoder_hidden_states.shape == embedded.shape == (len(batch.keys), MAX_TOKENS, 16)
    assert torch.allclose(batch.encoder_hidden_states, embedded, atol=2e-3)


def test_held_out_latents_are_the_encoded_pixels(written: Path, base: TinyBase) -> None:
    pixels, latents = both(written, base, validation_fraction=0.5)
    assert latents.content.startswith("latents-")
    assert latents.identity == pixels.identity
    assert latents.num_validation > 4
    for batch, other in zip(latents.validation_batches(3), pixels.validation_batches(3), strict=True):
        assert_encoded(batch, other, base)


@pytest.mark.parametrize(("stage", "changes"), [("t2v", {}), ("t2v", {"fps": 3.0}), ("t2i", {})])
def test_batches_of_latents_are_the_encoded_batches_of_pixels(
    base: TinyBase, tmp_path: Path, stage: Stage, changes: dict[str, object]
) -> None:
    root = write_set(
        tmp_path / "root", stage, [tiny_clip(n) for n in range(12)], group_samples=12
    )  # one group: one order
    run(root, base, stage=stage)  # one row group in both: one order
    pixels, latents = both(root, base, stage=stage, caption_dropout=0.3, **changes)
    theirs = pixels.micro_batches(seed=3, batch_size=5)
    for batch, other in itertools.islice(zip(latents.micro_batches(seed=3, batch_size=5), theirs, strict=True), 6):
        assert_encoded(batch, other, base)


def test_the_papers_frames_need_only_those_shown(base: TinyBase, tmp_path: Path) -> None:
    clip = replace(tiny_clip(0, num_frames=5), run_lengths=(1, 2, 4, 1, 3), delays_ms=(100,) * 11)
    root = write_set(tmp_path / "root", "t2v", [clip, tiny_clip(1)], group_samples=2)
    latents = run(root, base, data=small_config(fps=None))
    assert latents.reader.read(0, ["durations"])["durations"].to_pylist() == [[1, 2, 1], [1, 1]]
    pixels, encoded = both(root, base, fps=None, validation_fraction=0)
    (batch,) = itertools.islice(encoded.micro_batches(seed=0, batch_size=4), 1)
    assert_encoded(batch, next(pixels.micro_batches(seed=0, batch_size=4)), base)


def test_long_clips_are_thinned_and_still_sampled_by_time(base: TinyBase, tmp_path: Path) -> None:
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(0, num_frames=6)])
    latents = run(root, base, data=small_config(max_latent_frames=3))
    assert latents.reader.read(0, ["durations"])["durations"].to_pylist() == [[200, 200, 200]]
    pixels, encoded = both(root, base, max_latent_frames=3, fps=5, random_start=False, caption_dropout=0)
    (batch,) = itertools.islice(encoded.micro_batches(seed=0, batch_size=1), 1)
    assert_encoded(batch, next(pixels.micro_batches(seed=0, batch_size=1)), base)


def test_files_mirror_those_of_the_set(written: Path, base: TinyBase) -> None:
    latents = find(written, base)
    assert latents is not None
    manifest = json.loads((written / "t2v" / "manifest.json").read_text())
    assert [file.name for file in latents.manifest.files] == [file["name"] for file in manifest["files"]]
    for file in latents.manifest.files:
        keys = pq.read_table(latents.folder / file.name, columns=["key"], partitioning=None)["key"]
        assert keys == pq.read_table(written / "t2v" / file.name, columns=["key"], partitioning=None)["key"]
    assert latents.manifest.latent_shape == (4, 4, 4)


def test_padding_is_not_stored(written: Path, base: TinyBase) -> None:
    latents = find(written, base)
    assert latents is not None
    table = latents.reader.read(0, ["embedding", "num_tokens"])
    for embedding, num_tokens in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        assert len(embedding) == 2 * 16 * num_tokens
        assert num_tokens <= MAX_TOKENS
    assert len(latents.empty_embedding) == 2, "[CLS] and [SEP]"


def test_row_groups_are_cut_by_bytes(base: TinyBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mobius_model.data.precompute, "ROW_GROUP_BYTES", 2000)
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(number) for number in range(9)])
    latents = run(root, base)
    assert len(latents.reader.row_groups) > 2
    clips = open_clips(root, stage="t2v", config=small_config(validation_fraction=0), latents=latents)
    batches = itertools.islice(clips.micro_batches(seed=0, batch_size=3), 3)
    assert {key for batch in batches for key in batch.keys} == {key_of(number) for number in range(9)}


def test_workers_give_the_same_latents(written: Path, base: TinyBase, tmp_path: Path) -> None:
    root = Path(shutil.copytree(written / "t2v", tmp_path / "root" / "t2v")).parent
    run(root, base, data=small_config(num_workers=2))
    ours, theirs = find(root, base), find(written, base)
    assert ours is not None
    assert theirs is not None
    assert ours.manifest == theirs.manifest, "hashes of the files among it"


def test_a_second_call_computes_nothing_and_a_stopped_one_goes_on(
    base: TinyBase, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents = find(root, base)
    assert latents is not None
    hashes = {file.name: file.sha256 for file in latents.manifest.files}
    (latents.folder / "manifest.json").unlink()
    lost = latents.folder / latents.manifest.files[1].name
    lost.unlink()
    (latents.folder / f".{lost.name}.123-0123abcd").write_bytes(b"half a file")
    assert find(root, base) is None, "not finished, not used"
    kept = {path: path.stat().st_mtime_ns for path in latents.folder.glob("*.parquet")}
    progress: list[tuple[int, int]] = []
    again = precompute(
        root,
        stage="t2v",
        data=small_config(),
        base=base,
        batch_size=7,
        device="cpu",
        progress=lambda done, total: progress.append((done, total)),
    )
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert {file.name: file.sha256 for file in again.manifest.files} == hashes
    assert progress == [(12, 20), *((number, 20) for number in range(13, 21)), (20, 20)]
    assert not list(latents.folder.glob(".*"))
    monkeypatch.setattr(base.vae, "encode", None)
    assert run(root, base).manifest == again.manifest


def test_other_sets_settings_and_models_have_other_latents(root: Path, base: TinyBase) -> None:
    for changes in ({"size": 16}, {"background": "#00ff00"}, {"language": "en"}, {"fps": None}):
        assert find(root, base, **changes) is None
    assert find(root, replace(base, identity="another")) is None
    for changes in ({"fps": 4}, {"num_frames": 2}, {"caption_dropout": 0.5}, {"num_workers": 1}):
        assert find(root, base, **changes) is not None
    shutil.rmtree(root / "t2v")
    write_set(root, "t2v", [tiny_clip(number) for number in range(NUM_CLIPS)], plan="fedcba987654")
    assert find(root, base) is None, "the set was exported anew"


def test_latents_can_be_forbidden_or_demanded(written: Path, base: TinyBase) -> None:
    assert find(written, base, latents="never") is None
    assert find(written, base, latents="always") is not None
    with pytest.raises(UserError, match="no latents of this set, base and settings; run `mobius precompute` first"):
        find(written, base, latents="always", size=16)


def test_a_random_background_is_refused_before_anything_is_opened(tmp_path: Path, base: TinyBase) -> None:
    with pytest.raises(UserError, match="latents need one background"):
        run(tmp_path / "nowhere", base, data=small_config(background="random"))


def test_damaged_latents_are_refused(root: Path, base: TinyBase) -> None:
    latents = find(root, base)
    assert latents is not None
    path = latents.folder / latents.manifest.files[0].name
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        find(root, base)
    assert str(caught.value).startswith(f"{path}: sha256 {file_sha256(path)}, the manifest says ")
    path.unlink()
    with pytest.raises(UserError, match="missing, though the manifest lists it"):
        find(root, base)


def test_a_foreign_manifest_of_latents_is_refused(root: Path, base: TinyBase) -> None:
    latents = find(root, base)
    assert latents is not None
    (latents.folder / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="not a manifest of latents of this project"):
        open_latents(root, "t2v", latents.manifest.fingerprint)


def test_latents_that_float16_cannot_hold_are_refused(
    base: TinyBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(base.vae.encoder.conv_in._parameters, "bias", torch.nn.Parameter(torch.full((8,), torch.nan)))
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(0)])
    with pytest.raises(UserError, match=f"sample {key_of(0)}: the base model gives a mean that float16 cannot hold"):
        run(root, base)
    config = small_config()
    fingerprint = latents_fingerprint(root, stage="t2v", config=config, base_identity=base.identity)
    assert open_latents(root, "t2v", fingerprint) is None


def test_a_second_process_is_refused_while_the_first_encodes(base: TinyBase, tmp_path: Path) -> None:
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(0)])
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        if not refused:
            with pytest.raises(UserError, match="another process is encoding these latents") as caught:
                run(root, base)
            refused.append(str(caught.value))

    precompute(root, stage="t2v", data=small_config(), base=base, batch_size=7, device="cpu", progress=second)
    assert len(refused) == 1
    assert find(root, base) is not None

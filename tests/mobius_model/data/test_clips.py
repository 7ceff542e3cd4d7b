"""Micro-batches: exact, whatever the ranks, the workers and the place one begins at."""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mobius_model.data.clips import Clips, PixelBatch, open_clips
from mobius_model.data.config import DataConfig
from schemas.errors import UserError
from tests.mobius_model.data.tiny_root import coloured_frames, key_of, small_config, tiny_clip, write_set


def taken(batches: Iterable[object], num: int) -> list[PixelBatch]:
    found = list(itertools.islice(batches, num))
    assert all(isinstance(batch, PixelBatch) for batch in found)
    return found  # type: ignore[return-value]


def assert_equal(ours: list[PixelBatch], theirs: list[PixelBatch]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.keys, one.captions) == (other.keys, other.captions)
        assert torch.equal(one.pixels, other.pixels)


@pytest.fixture(scope="module")
def clips(tiny_root: Path) -> Clips:
    return open_clips(tiny_root, stage="t2v", config=small_config(background="random", caption_dropout=0.5))


def test_batches_have_the_promised_shapes(clips: Clips, tiny_root: Path) -> None:
    (batch,) = taken(clips.micro_batches(seed=0, batch_size=3), 1)
    assert batch.pixels.shape == (3, 4, 3, 8, 8)
    assert batch.pixels.dtype == torch.float32
    assert len(batch.keys) == len(batch.captions) == 3
    pictures = open_clips(tiny_root, stage="t2i", config=small_config())
    (batch,) = taken(pictures.micro_batches(seed=0, batch_size=3), 1)
    assert batch.pixels.shape == (3, 1, 3, 8, 8)


def test_every_epoch_holds_every_training_sample_once_and_no_held_out_one(clips: Clips) -> None:
    batches = taken(clips.micro_batches(seed=5, batch_size=1), 3 * clips.num_train)
    held_out = {key for batch in clips.validation_batches(4) for key in batch.keys}
    for epoch in range(3):
        keys = [batch.keys[0] for batch in batches[epoch * clips.num_train : (epoch + 1) * clips.num_train]]
        assert len(set(keys)) == clips.num_train
        assert not held_out & set(keys)
        assert held_out | set(keys) == {key_of(number) for number in range(30)}


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99), st.integers(0, 60))
def test_ranks_and_rounds_share_one_stream(
    clips: Clips, batch_size: int, ranks: int, rounds: int, seed: int, first_step: int
) -> None:
    per_step = ranks * rounds
    one_rank = taken(clips.micro_batches(seed=seed, batch_size=batch_size, first=first_step * per_step), 2 * per_step)
    many = [
        taken(
            clips.micro_batches(seed=seed, batch_size=batch_size, first=first_step * per_step + rank, stride=ranks),
            2 * rounds,
        )
        for rank in range(ranks)
    ]
    assert_equal([batch for together in zip(*many, strict=True) for batch in together], one_rank)


def test_beginning_at_a_batch_equals_skipping_to_it(clips: Clips) -> None:
    skipped = taken(clips.micro_batches(seed=1, batch_size=4), 25)[20:]
    assert_equal(taken(clips.micro_batches(seed=1, batch_size=4, first=20), 5), skipped)


def test_workers_change_nothing_and_leave_torchs_generator_alone(tiny_root: Path, clips: Clips) -> None:
    config = clips.config.model_copy(update={"num_workers": 2})
    with_workers = open_clips(tiny_root, stage="t2v", config=config)
    before = torch.get_rng_state()
    assert_equal(
        taken(with_workers.micro_batches(seed=2, batch_size=3, first=1, stride=2), 8),
        taken(clips.micro_batches(seed=2, batch_size=3, first=1, stride=2), 8),
    )
    assert_equal(taken(with_workers.validation_batches(1), 9), taken(clips.validation_batches(1), 9))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_error_in_a_worker_is_the_same_one_sentence(tmp_path: Path) -> None:
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(0)])
    clips = open_clips(root, stage="t2v", config=small_config(num_workers=1, verify="size"))
    (root / "t2v" / "00000-00.parquet").unlink()
    with pytest.raises(UserError) as caught:
        next(clips.micro_batches(seed=0, batch_size=1))
    assert str(caught.value) == f"{root}/t2v/00000-00.parquet: missing, though the manifest lists it"


def test_nothing_but_the_row_groups_of_a_window_is_kept(tiny_root: Path) -> None:
    clips = open_clips(tiny_root, stage="t2v", config=small_config(shuffled_row_groups=2))
    taken(clips.micro_batches(seed=0, batch_size=4), 20)
    assert len(clips.source.reader._kept) <= 3


def test_a_background_is_drawn_for_each_clip_and_held_for_all_its_frames(tmp_path: Path) -> None:
    frames = coloured_frames((0, 0, 0, 0), (1, 1, 1, 1))
    see_through = [replace(tiny_clip(number, num_frames=2), frames=frames) for number in range(6)]
    root = write_set(tmp_path / "root", "t2v", see_through)
    clips = open_clips(root, stage="t2v", config=small_config(background="random"))
    batches = taken(clips.micro_batches(seed=0, batch_size=5), 2)
    colours = torch.cat([batch.pixels for batch in batches]).mul(127.5).round()[..., 0, 0]
    assert (colours - colours[:, :1]).abs().max() <= 2, "one colour from its first frame to its last"
    assert len({tuple(colour) for colour in colours[:, 0].tolist()}) > 8
    (held_out,) = taken(clips.validation_batches(8), 2)
    assert held_out.pixels.min() > 0.97, "validation always sees white"


def test_captions_are_label_and_caption_of_the_language(tiny_root: Path) -> None:
    for stage, language, column in (("t2v", "zh", "summary_zh"), ("t2i", "en", "image_caption")):
        config = small_config(language=language, caption_dropout=0)
        (batch,) = taken(open_clips(tiny_root, stage=stage, config=config).micro_batches(seed=0, batch_size=1), 1)
        assert batch.captions == [f"开心, {column} {batch.keys[0][:4]}"]


def test_a_sample_without_label_has_its_caption_alone(tmp_path: Path) -> None:
    root = write_set(tmp_path / "root", "t2v", [replace(tiny_clip(0), label=None)])
    (batch,) = taken(
        open_clips(root, stage="t2v", config=small_config(caption_dropout=0)).micro_batches(seed=0, batch_size=1), 1
    )
    assert batch.captions == [f"summary_zh {key_of(0)[:4]}"]


def test_captions_are_dropped_as_often_as_asked(tiny_root: Path) -> None:
    clips = open_clips(tiny_root, stage="t2i", config=small_config(caption_dropout=0.25))
    captions = [
        caption for batch in taken(clips.micro_batches(seed=0, batch_size=100), 8) for caption in batch.captions
    ]
    assert 150 < captions.count("") < 250
    assert "" not in [caption for batch in clips.validation_batches(8) for caption in batch.captions]


def test_loops_start_anywhere_only_if_allowed(tmp_path: Path) -> None:
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(number, num_frames=5) for number in range(4)])
    starts = {}
    for random_start in (True, False):
        clips = open_clips(root, stage="t2v", config=small_config(random_start=random_start, fps=10))
        pixels = torch.cat([batch.pixels for batch in taken(clips.micro_batches(seed=0, batch_size=10), 3)])
        green = pixels[:, :, 1, 0, 0].add(1).mul(127.5 / 40).round().int()
        assert torch.equal(green, (green[:, :1] + torch.arange(4)) % 5), "frames follow each other, round and round"
        starts[random_start] = Counter(green[:, 0].tolist())
    assert set(starts[True]) == {0, 1, 2, 3, 4}
    assert set(starts[False]) == {0}


def test_validation_is_the_same_each_time_and_shared_between_ranks(clips: Clips, tiny_root: Path) -> None:
    config = clips.config.model_copy(update={"validation_fraction": 0.3})
    many = open_clips(tiny_root, stage="t2v", config=config)
    batches = taken(many.validation_batches(2), 99)
    assert sum(len(batch.keys) for batch in batches) == many.num_validation > 3
    assert_equal(taken(many.validation_batches(2), 99), batches)
    assert_equal(taken(many.validation_batches(2, first=1, stride=2), 99), batches[1::2])


def test_limiting_validation_moves_nothing_into_training(tiny_root: Path) -> None:
    config = small_config(validation_fraction=0.4)
    full = open_clips(tiny_root, stage="t2v", config=config)
    limited = open_clips(tiny_root, stage="t2v", config=config.model_copy(update={"max_validation_samples": 3}))
    assert limited.num_validation == 3
    assert limited.num_train == full.num_train


@pytest.mark.parametrize(
    ("num_clips", "fraction", "held_out"), [(1, 0.5, 0), (2, 0.001, 1), (2, 0.999, 1), (30, 0.0, 0), (30, 0.001, 1)]
)
def test_one_sample_at_least_on_each_side(tmp_path: Path, num_clips: int, fraction: float, held_out: int) -> None:
    root = write_set(tmp_path / "root", "t2v", [tiny_clip(number) for number in range(num_clips)])
    clips = open_clips(root, stage="t2v", config=small_config(validation_fraction=fraction))
    assert (clips.num_validation, clips.num_train) == (held_out, num_clips - held_out)


def test_adding_samples_moves_none_between_the_parts(tmp_path: Path) -> None:
    parts = []
    for num_clips in (40, 60):
        root = write_set(tmp_path / str(num_clips), "t2v", [tiny_clip(number) for number in range(num_clips)])
        clips = open_clips(root, stage="t2v", config=small_config(validation_fraction=0.3))
        parts.append({key for batch in clips.validation_batches(8) for key in batch.keys})
    assert parts[0] == parts[1] & {key_of(number) for number in range(40)}


@pytest.mark.parametrize(
    "wrong", [{"size": 12}, {"background": "blue"}, {"fps": 0}, {"caption_dropout": 2}, {"num_frame": 8}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DataConfig.model_validate({"size": 64, **wrong})

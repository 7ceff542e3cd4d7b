"""A round closes, turns back or repeats itself, and each is told from pictures made for it."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.quality.loop import Loop, describe_loop
from pipeline.quality.shown import over_white
from pipeline.quality.thumbnails import first_equal, thumbnail
from tests.quality.clips import circling, clip_of, disc, plain

A, B, C, D, E, F = (disc(place) for place in (10, 18, 26, 34, 42, 50))


def loop_of(frames: Sequence[NDArray[np.uint8]]) -> Loop:
    clip = clip_of(frames)
    grids = np.stack([thumbnail(over_white(frame)) for frame in clip.frames])
    return describe_loop(grids, first_equal(clip.frames), clip.run_lengths)


def test_a_whole_round_has_no_seam_and_half_a_round_has_one() -> None:
    assert loop_of(circling(16)).seam_error < 0.05
    halves = [loop_of(circling(num, part=0.5)).seam_error for num in (8, 16, 32)]
    assert halves[0] > 0.5
    assert halves == sorted(halves), "the smoother the motion, the more its jump stands out"
    assert max(halves) <= 1 - 1 / 31


def test_the_seam_is_measured_in_typical_changes() -> None:
    black_to_grey = [plain(level, level, level) for level in range(0, 90, 10)]
    assert loop_of(black_to_grey).seam_error == pytest.approx(1 - 1 / 8), "eight steps at once"
    assert loop_of([A, D]).seam_error == 0, "both ways are as far"
    assert loop_of([A]) == Loop(0.0, is_ping_pong=False, period_frames=1, num_periods=1)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([A, B, C, D, C, B], True),
        ([A, B, C, D, C, B, A], True),
        ([A, A, B, C, D, D, C, B, A, A], True),
        ([A, B, B, B, C, D, C, B], True),
        ([C, D, C, B, A, B], True),
        ([A, B, C, D, C, B] * 3, True),
        ([A, B, C, D, E, F], False),
        ([A, B, C, A, B, C], False),
        ([A, B], False),
        ([A, B, A, B], False),
        ([A, B, C, D, C, A], False),
    ],
    ids=lambda each: "" if isinstance(each, list) else str(each),
)
def test_ping_pong(frames: list[NDArray[np.uint8]], expected: bool) -> None:
    assert loop_of(frames).is_ping_pong is expected


@pytest.mark.parametrize(
    ("frames", "period", "num"),
    [
        ([A, B, C, D] * 3, 4, 3),
        ([A, A, B] * 4, 3, 4),
        ([A, B] * 6, 2, 6),
        ([A, B, A, A, B, A], 3, 2),
        ([A, B, C, D, A, B, C], 7, 1),
        ([A, B, A, C], 4, 1),
        ([A, A, A, B], 4, 1),
        ([A, A, A], 1, 3),
    ],
    ids=str,
)
def test_the_period_is_the_smallest_that_divides_the_round(
    frames: list[NDArray[np.uint8]], period: int, num: int
) -> None:
    loop = loop_of(frames)
    assert (loop.period_frames, loop.num_periods) == (period, num)


def test_a_lossy_encoder_hides_neither_period_nor_turn() -> None:
    generator = np.random.default_rng(0)

    def lossy(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        noise = generator.integers(-3, 4, frame.shape[:2])[..., None]
        colour = np.clip(frame[..., :3].astype(int) + noise, 0, 255).astype(np.uint8)
        return np.dstack([colour, frame[..., 3]])

    assert loop_of([lossy(frame) for frame in [A, B, C, D] * 2]).num_periods == 2
    assert loop_of([lossy(frame) for frame in [A, B, C, D, C, B]]).is_ping_pong


def test_what_dwindles_from_round_to_round_is_no_repetition() -> None:
    rounds = []
    for size in (8, 6, 4):
        for frame in (A, B, C, D):
            rounds.append(frame.copy())
            rounds[-1][56 : 56 + size, 56:60] = (0, 0, 0, 255)
    assert loop_of(rounds).num_periods == 1


def test_a_change_of_one_pixel_is_a_change() -> None:
    blink = A.copy()
    blink[3, 3] = (255, 255, 254, 255)
    assert loop_of([A, A, A, blink]).period_frames == 4

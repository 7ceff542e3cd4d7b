"""Frames: which ones a model of videos is shown, and when they appear."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.frames import spread_frames
from schemas.clip import Clip
from tests.models.hf.media import clip_of


def test_all_frames_are_shown_where_there_are_few():
    assert spread_frames(clip_of(1, 2, 3, delay_ms=[50, 200, 70]), 8) == [(0, 0.0), (1, 0.05), (2, 0.25)]


def test_seconds_follow_run_lengths_and_what_browsers_make_of_short_delays():
    frames = clip_of(1, 2).frames
    clip = Clip(frames, (3, 1), (10, 0, 40, 500))  # 10 ms and less play as 100 ms
    assert spread_frames(clip, 8) == [(0, 0.0), (1, 0.24)]


def test_frames_are_spread_over_time_and_not_over_their_number():
    clip = clip_of(*range(10), delay_ms=[20] * 5 + [400] * 5)
    assert [index for index, _ in spread_frames(clip, 4)] == [0, 6, 7, 8]


def test_a_short_motion_before_a_long_hold_is_not_taken_for_a_still():
    clip = clip_of(*range(12), delay_ms=[40] * 11 + [5000])
    chosen = [index for index, _ in spread_frames(clip, 4)]
    assert len(chosen) == 4
    assert chosen[0] == 0
    assert chosen[-1] == 11


@given(
    delays_ms=st.lists(st.integers(0, 3000), min_size=1, max_size=40),
    num_frames=st.integers(1, 16),
)
def test_frames_are_distinct_in_order_bounded_and_begin_with_the_first(delays_ms, num_frames):
    frames = np.zeros((len(delays_ms), 1, 1, 4), np.uint8)
    clip = Clip(frames, (1,) * len(delays_ms), tuple(delays_ms))
    chosen = spread_frames(clip, num_frames)
    indexes = [index for index, _ in chosen]
    starts = np.cumsum([0, *clip.durations_ms]) / 1000
    assert indexes == sorted(set(indexes))
    assert indexes[0] == 0
    assert 1 <= len(indexes) <= num_frames
    assert [second for _, second in chosen] == [starts[index] for index in indexes]

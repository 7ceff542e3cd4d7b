"""The time axis: frames are chosen by when they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from mobius_model.data.time_axis import TimeAxis, first_stored, frames_shown, thinned, time_axis

DURATIONS = st.lists(st.integers(20, 5000), min_size=1, max_size=200)


def shown(durations: tuple[int, ...], num_frames: int, fps: float | None, start: float = 0.0, *, endless: bool = True):
    axis = TimeAxis(durations, endless)
    return frames_shown(axis, num_frames=num_frames, fps=fps, start=start).tolist()


def test_frames_are_taken_by_time_and_not_by_number() -> None:
    assert shown((100, 400, 100), 6, 10) == [0, 1, 1, 1, 1, 2]


def test_loops_go_round() -> None:
    assert shown((100, 100, 100), 7, 10) == [0, 1, 2, 0, 1, 2, 0]
    assert shown((100, 100, 100), 4, 10, 0.5) == [1, 2, 0, 1]


def test_the_last_frame_is_held_before_the_loop_begins_again() -> None:
    assert shown((100, 100, 500), 9, 10) == [0, 1, 2, 2, 2, 2, 2, 0, 1]


def test_a_frame_rate_that_does_not_divide_a_second_meets_frame_boundaries() -> None:
    assert shown((100,) * 4, 10, 30) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_a_static_picture_is_repeated() -> None:
    assert shown((100,), 5, 8, 0.7) == [0] * 5


def test_what_does_not_loop_starts_where_it_still_fits() -> None:
    assert shown((100,) * 10, 4, 10, 0.999, endless=False) == [5, 6, 7, 8]
    assert shown((100,) * 3, 4, 10, 0.999, endless=False) == [0, 1, 2, 0]
    assert shown((100,) * 10, 4, 10, 0.999) == [9, 0, 1, 2]


def test_without_fps_the_first_stored_frames_are_taken_whatever_their_delays() -> None:
    axis = time_axis([2, 1, 3], [100, 100, 5000, 20, 20, 20], loop_count=0, fps=None)
    assert frames_shown(axis, num_frames=8, fps=None, start=0.9).tolist() == [0, 0, 1, 2, 2, 2, 0, 0]


def test_delays_are_those_a_browser_uses() -> None:
    assert time_axis([2, 1], [0, 50, 10], loop_count=None, fps=8) == TimeAxis((150, 100), False)


@given(DURATIONS, st.integers(1, 30), st.floats(0.5, 60), st.floats(0, 1, exclude_max=True), st.booleans())
def test_all_frames_exist(durations: list[int], num: int, fps: float, start: float, endless: bool) -> None:
    frames = shown(tuple(durations), num, fps, start, endless=endless)
    assert len(frames) == num
    assert all(0 <= frame < len(durations) for frame in frames)


@given(DURATIONS, st.integers(1, 70))
def test_thinned_clips_keep_their_first_frame_and_their_length(durations: list[int], max_frames: int) -> None:
    kept, axis = thinned(TimeAxis(tuple(durations), True), max_frames=max_frames)
    assert kept[0] == 0
    assert kept == sorted(set(kept))
    assert len(kept) == len(axis.durations) <= max_frames
    assert sum(axis.durations) == sum(durations)
    assert len(kept) == len(durations) or len(durations) > max_frames


def test_thinning_is_even_in_time_and_uses_what_is_allowed() -> None:
    kept, axis = thinned(TimeAxis((50,) * 128), max_frames=64)
    assert kept == list(range(0, 128, 2))
    assert set(axis.durations) == {100}
    kept, _ = thinned(TimeAxis((2000, *(20,) * 100)), max_frames=30)
    assert len(kept) >= 25, "a long hold does not use up the frames"


def test_first_stored_frames_are_enough_for_the_paper() -> None:
    axis = TimeAxis((2, 1, 9, 4), True)
    kept, shorter = first_stored(axis, num_frames=8)
    assert (kept, shorter.durations) == ([0, 1, 2], (2, 1, 5))
    for num_frames in range(1, 9):
        wanted = frames_shown(axis, num_frames=num_frames, fps=None)
        assert frames_shown(shorter, num_frames=num_frames, fps=None).tolist() == wanted.tolist()
    assert first_stored(TimeAxis((1, 2)), num_frames=8)[1].durations == (1, 2)

"""A clip as a GIF: the same frames, runs and delays when it is read back, by our decoder and by another one."""

import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.media.canonical import merge_equal_neighbours, zero_hidden_colour
from pipeline.media.decode import decode_clip, scan_media
from pipeline.media.gif import encode_gif
from schemas.clip import Clip, effective_delay_ms
from tests.media.gifs import moving_square

MAX_EXAMPLES = 60


def clip_of(frames: NDArray[np.uint8], delays_ms: list[int] | None = None) -> Clip:
    """Make a clip of stored frames (T, H, W, 4)."""
    distinct, runs = merge_equal_neighbours(map(zero_hidden_colour, frames), max_frames=len(frames))
    return Clip(distinct, tuple(runs), tuple(delays_ms or [50] * len(frames)))


def other_decoder(gif: bytes) -> NDArray[np.uint8]:
    """Decode with FFmpeg: (T, H, W, 4), colour zeroed where alpha is 0."""
    with av.open(io.BytesIO(gif)) as file:
        frames = [frame.to_ndarray(format="rgba") for frame in file.decode(video=0)]
    return np.stack([zero_hidden_colour(frame) for frame in frames])


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    colours = np.array([(0, 0, 0, 0), (255, 0, 0, 255), (0, 255, 0, 255), (1, 2, 3, 255)], np.uint8)
    num_frames = draw(st.integers(1, 5))
    first = draw(st.integers(0, 1))  # with holes, or opaque
    numbers = draw(st.lists(st.integers(first, 3), min_size=height * width, max_size=height * width * num_frames))
    indices = np.resize(np.array(numbers), (num_frames, height, width))
    delays = draw(st.lists(st.integers(0, 12).map(lambda cs: 10 * cs), min_size=num_frames, max_size=num_frames))
    return clip_of(colours[indices], delays)


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(clips(), st.sampled_from([None, 0, 1, 65535]))
def test_two_decoders_read_back_what_was_written(clip: Clip, loop_count: int | None) -> None:
    gif = encode_gif(clip, loop_count=loop_count)
    scan, read = scan_media(gif), decode_clip(gif)
    assert (scan.loop_count, scan.warnings) == (loop_count, [])
    assert (read.delays_ms, read.run_lengths) == (clip.delays_ms, clip.run_lengths)
    assert np.array_equal(read.frames, clip.frames)
    assert np.array_equal(other_decoder(gif), np.repeat(clip.frames, clip.run_lengths, axis=0))


@pytest.mark.parametrize(("num_colours", "has_hole"), [(255, True), (256, False)])
def test_as_many_colours_as_a_frame_can_have_come_back_to_the_bit(num_colours: int, has_hole: bool) -> None:
    frames = np.zeros((3, 16, 17, 4), np.uint8)
    for number, frame in enumerate(frames):
        numbers = np.arange(16 * 17) % num_colours
        frame[..., 0] = numbers.reshape(16, 17)
        frame[..., 1] = 80 * number
        frame[..., 3] = 255
    if has_hole:
        frames[1, 0, 0] = 0
    gif = encode_gif(clip_of(frames), loop_count=0)
    assert np.array_equal(decode_clip(gif).frames, frames)
    assert np.array_equal(other_decoder(gif), frames)


def test_a_frame_of_more_colours_comes_near_and_what_stands_still_does_not_flicker() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frames = np.zeros((3, 64, 64, 4), np.uint8)
    frames[..., 0], frames[..., 1], frames[..., 3] = ramp[:, None], ramp[None, :], 255
    for number in range(3):
        frames[number, 10 * number : 10 * number + 5, :5] = (0, 0, 255, 255)
    read = decode_clip(encode_gif(clip_of(frames), loop_count=0))
    assert np.abs(read.frames.astype(int) - frames).mean() < 4
    assert np.array_equal(read.frames[0, :, 32:], read.frames[2, :, 32:])


def test_half_transparent_pixels_are_shown_or_not() -> None:
    frames = moving_square(2)
    frames[0, 4, 0] = (9, 8, 7, 127)
    frames[0, 4, 1] = (9, 8, 7, 128)
    read = decode_clip(encode_gif(clip_of(frames), loop_count=0))
    assert read.frames[0, 4, 0].tolist() == [0, 0, 0, 0]
    assert read.frames[0, 4, 1].tolist() == [9, 8, 7, 255]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40))
def test_delays_that_are_no_hundredths_play_as_long_all_together(delays_ms: list[int]) -> None:
    frames = np.zeros((1, 1, 1, 4), np.uint8)
    written = scan_media(encode_gif(Clip(frames, (len(delays_ms),), tuple(delays_ms)), loop_count=0)).delays_ms
    assert abs(sum(map(effective_delay_ms, written)) - sum(map(effective_delay_ms, delays_ms))) <= 5
    for before, after in zip(delays_ms, written, strict=True):
        assert abs(effective_delay_ms(before) - effective_delay_ms(after)) <= 10
        assert before % 10 or len(delays_ms) > 1 or before == after


def test_a_picture_that_stands_still_costs_next_to_nothing_more() -> None:
    frame = moving_square(1)
    one, many = (len(encode_gif(clip_of(np.repeat(frame, num, axis=0)), loop_count=0)) for num in (1, 50))
    assert many - one < 50 * 40

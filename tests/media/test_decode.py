"""Decoding gives the pixels and the time a viewer sees."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.media.canonical import zero_hidden_colour
from pipeline.media.decode import decode_clip, decode_first_frame, scan_media
from pipeline.media.encode import encode_webp
from pipeline.media.limits import LimitsConfig
from schemas.errors import CorruptMedia, TooLarge, TooSlow, UnknownFormat
from tests.media.gifs import BLUE, GREEN, RED, encode, encode_gif, moving_square, raw_frame, raw_gif
from tests.media.test_scan import encode_video

BLACK = (0, 0, 0, 255)
WHITE = (255, 255, 255, 255)
CLEAR = (0, 0, 0, 0)


def test_equal_neighbours_become_one_frame_with_a_run_length() -> None:
    frame, other = raw_frame((0, 0, 2, 2), 0), raw_frame((0, 0, 2, 2), 1)
    clip = decode_clip(raw_gif((2, 2), [frame, frame, other, other, other, frame]))
    assert clip.run_lengths == (2, 3, 1)
    assert clip.num_frames == 6
    assert clip.durations_ms == (200, 300, 100)


def test_delays_of_10_ms_or_less_play_as_100_ms() -> None:
    frames = [raw_frame((0, 0, 2, 2), index % 2, delay_cs=delay) for index, delay in enumerate([0, 1, 2, 7])]
    clip = decode_clip(raw_gif((2, 2), frames))
    assert clip.delays_ms == (0, 10, 20, 70)
    assert clip.durations_ms == (100, 100, 20, 70)


def test_canvas_that_no_frame_paints_is_transparent() -> None:
    clip = decode_clip(raw_gif((3, 1), [raw_frame((0, 0, 1, 1), 1), raw_frame((1, 0, 1, 1), 0)]))
    assert [tuple(pixel) for pixel in clip.frames[0, 0]] == [WHITE, CLEAR, CLEAR]
    assert [tuple(pixel) for pixel in clip.frames[1, 0]] == [WHITE, BLACK, CLEAR]


def test_disposal_2_clears_to_transparent_and_disposal_3_restores() -> None:
    full = raw_frame((0, 0, 3, 1), 1)
    cleared = raw_gif((3, 1), [full, raw_frame((0, 0, 1, 1), 0, disposal=2), raw_frame((2, 0, 1, 1), 0)])
    assert [tuple(pixel) for pixel in decode_clip(cleared).frames[2, 0]] == [CLEAR, WHITE, BLACK]
    restored = raw_gif((3, 1), [full, raw_frame((0, 0, 1, 1), 0, disposal=3), raw_frame((2, 0, 1, 1), 0)])
    assert [tuple(pixel) for pixel in decode_clip(restored).frames[2, 0]] == [WHITE, WHITE, BLACK]


def test_frames_outside_the_logical_screen_are_cut_off() -> None:
    clip = decode_clip(raw_gif((2, 2), [raw_frame((0, 0, 2, 2), 1), raw_frame((1, 1, 3, 3), 0)]))
    assert clip.frames.shape == (2, 2, 2, 4)
    assert tuple(clip.frames[1, 1, 1]) == BLACK


def test_colour_under_alpha_0_is_zeroed_and_nothing_else_changes() -> None:
    frame = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) + 1
    frame[0, 1, 3] = 0
    canonical = zero_hidden_colour(frame)
    assert tuple(canonical[0, 1]) == CLEAR
    frame[0, 1] = 0
    assert np.array_equal(canonical, frame)


@pytest.mark.parametrize(("form", "settings"), [("WEBP", {"lossless": True}), ("PNG", {}), ("GIF", {"disposal": 2})])
def test_animations_of_every_form_decode_to_the_same_frames(form: str, settings: dict[str, bool]) -> None:
    frames = moving_square(6)
    images = [Image.fromarray(frame) for frame in frames]
    media = encode(images[0], form, save_all=True, append_images=images[1:], duration=50, loop=0, **settings)
    clip = decode_clip(media)
    assert np.array_equal(clip.frames, frames)
    assert clip.delays_ms == (50,) * 6


def test_default_image_of_an_apng_is_no_frame() -> None:
    frames = [Image.new("RGBA", (4, 4), (*colour, 255)) for colour in (RED, GREEN, BLUE)]
    media = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50, default_image=True)
    clip = decode_clip(media)
    assert clip.num_frames == 2
    assert tuple(clip.frames[0, 0, 0]) == (0, 255, 0, 255)


def test_jpeg_is_turned_upright() -> None:
    image = Image.new("RGB", (8, 4), RED)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_first_frame(encode(image, "JPEG", exif=exif)).shape == (8, 4, 4)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_mode_becomes_rgba(mode: str) -> None:
    frame = decode_first_frame(encode(Image.new(mode, (5, 3)), "PNG"))
    assert frame.shape == (3, 5, 4)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_video_stickers_take_the_same_road(container: str) -> None:
    clip = decode_clip(encode_video(container, num_frames=5, fps=10))
    assert clip.frames.shape == (5, 32, 32, 4)
    assert clip.durations_ms == (100,) * 5
    assert list(np.argsort(clip.frames[:, 0, 0, 0])) == [0, 1, 2, 3, 4], "frames come in time order"


def test_file_that_ends_inside_a_frame_is_corrupt_and_says_where() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    images = [Image.fromarray(frame) for frame in noise]
    media = encode(images[0], "GIF", save_all=True, append_images=images[1:])
    with pytest.raises(CorruptMedia, match=r"gif frame 2 of 3"):
        decode_clip(media[:-200])


def test_decoding_stops_at_its_limits() -> None:
    media = encode_gif([RED, GREEN] * 20, size=64)
    with pytest.raises(TooSlow, match="max_decode_seconds"):
        decode_clip(media, limits=LimitsConfig(max_decode_seconds=1e-9))
    with pytest.raises(TooLarge, match="max_frames = 39"):
        decode_clip(media, limits=LimitsConfig(max_frames=39))


def test_webp_round_trip_of_distinct_frames_is_exact(corpus_sample: Path) -> None:
    paths = sorted(corpus_sample.glob("*/*.gif"))[::13]
    assert len(paths) > 35
    for path in paths:
        clip = decode_clip(path.read_bytes())
        again = decode_clip(encode_webp(clip.frames, clip.durations_ms))
        assert np.array_equal(again.frames, clip.frames), path.name
        if clip.is_animated:
            assert again.delays_ms == clip.durations_ms


def test_hostile_bytes_of_the_container_do_not_reach_another_decoder() -> None:
    """A file is opened only as what its first bytes say, never by trial of every plugin Pillow has."""
    picture = encode(Image.new("RGB", (4, 4)), "BMP")
    assert Image.open(io.BytesIO(picture)).size == (4, 4), "Pillow itself would open it"
    with pytest.raises(UnknownFormat):
        decode_clip(picture)


def test_gif_frames_equal_what_pillow_shows_for_ordinary_files(corpus_sample: Path) -> None:
    for path in sorted(corpus_sample.glob("*/*.gif"))[::29]:
        media = path.read_bytes()
        clip = decode_clip(media)
        stored = np.repeat(clip.frames, clip.run_lengths, axis=0)
        with Image.open(io.BytesIO(media)) as image:
            for index in range(scan_media(media).num_frames):
                image.seek(index)
                expected = zero_hidden_colour(np.asarray(image.convert("RGBA")))
                assert np.array_equal(stored[index], expected), f"{path.name} frame {index}"


def test_hours_of_delay_and_absurd_loop_counts_are_refused_or_kept_whole() -> None:
    frames = [Image.new("RGBA", (4, 4), (*colour, 255)) for colour in (RED, GREEN)]
    looping = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50, loop=0xFFFFFFFF)
    assert scan_media(looping).loop_count == 0xFFFFFFFE
    days = raw_gif((2, 2), [raw_frame((0, 0, 2, 2), index % 2, delay_cs=65535) for index in range(1900)])
    with pytest.raises(TooLarge, match="max_play_ms"):
        decode_clip(days)

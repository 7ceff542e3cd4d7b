"""Clips on disk: one palette, honest time, every format read back."""

import struct
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from mobius_model.sampling.gif import plan_frames, write_animation, write_gif
from schemas.errors import UserError


def _moving_square(num_frames: int = 8, height: int = 20, width: int = 24) -> np.ndarray:
    frames = np.full((num_frames, height, width, 3), 255, np.uint8)
    for number in range(num_frames):
        frames[number, 5:10, number + 2 : number + 8] = (200, 30 * number, 40)
    return frames


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])


def _blocks(path: Path) -> tuple[int, list[int], list[bool]]:
    """Walk a GIF: size of the global palette, delays, whether each image has a palette of its own."""
    data = path.read_bytes()
    flags = data[10]
    num_colours = 2 << (flags & 7) if flags & 0x80 else 0
    at, delays, local = 13 + 3 * num_colours, [], []
    while data[at] != 0x3B:
        if data[at] == 0x21:
            if data[at + 1] == 0xF9:
                delays.append(struct.unpack_from("<H", data, at + 4)[0])
            at += 2
        else:
            own = data[at + 9]
            local.append(bool(own & 0x80))
            at += 10 + (3 * (2 << (own & 7)) if own & 0x80 else 0) + 1
        while data[at]:
            at += data[at] + 1
        at += 1
    return num_colours, delays, local


def test_eight_frames_a_second_are_12_and_13_centiseconds(tmp_path: Path):
    write_gif(tmp_path / "a.gif", _moving_square(), fps=8)
    num_colours, delays, _ = _blocks(tmp_path / "a.gif")
    assert delays == [12, 13] * 4
    assert 2 <= num_colours <= 256


@given(st.integers(1, 80), st.floats(0.2, 400))
def test_the_time_is_right_for_any_fps(num_frames: int, fps: float):
    plan = plan_frames(num_frames, fps, ticks=100, min_delay=2)
    assert min(delay for _, delay in plan) >= 2
    true_end = max(2.0, 100 * num_frames / fps)
    assert abs(sum(delay for _, delay in plan) - true_end) <= (0.5 if fps <= 50 else 1.0) + 1e-6
    indices = [index for index, _ in plan]
    assert indices == sorted(set(indices))
    assert 0 == indices[0] <= indices[-1] < num_frames
    if fps <= 50:
        assert indices == list(range(num_frames))


def test_every_frame_shares_one_palette(tmp_path: Path):
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    for dither in (False, True):
        write_gif(tmp_path / "a.gif", frames, fps=10, dither=dither)
        num_colours, _, local = _blocks(tmp_path / "a.gif")
        assert num_colours == 256
        assert local == [False] * 4
        assert np.mean((_read(tmp_path / "a.gif").astype(float) - frames) ** 2) < 1500  # noise: the worst there is


def test_a_gif_of_few_colours_comes_back_to_the_bit_and_loops(tmp_path: Path):
    frames = _moving_square()
    write_gif(tmp_path / "a.gif", frames, fps=12, loop=3)
    assert np.array_equal(_read(tmp_path / "a.gif"), frames)
    assert Image.open(tmp_path / "a.gif").info["loop"] == 3


def test_equal_frames_keep_their_time(tmp_path: Path):
    frames = np.repeat(_moving_square(2), 4, axis=0)
    write_gif(tmp_path / "a.gif", frames, fps=8)
    assert sum(_blocks(tmp_path / "a.gif")[1]) == 100
    write_gif(tmp_path / "still.gif", frames[:1], fps=8)
    assert np.array_equal(_read(tmp_path / "still.gif"), frames[:1])


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.apng", "a.WEBP"])
def test_lossless_formats_come_back_to_the_bit(tmp_path: Path, name: str):
    frames = _moving_square()
    write_animation(tmp_path / name, frames, fps=8)
    assert np.array_equal(_read(tmp_path / name), frames)


def test_no_suffix_is_a_folder_of_pngs_that_can_be_replaced(tmp_path: Path):
    for num_frames in (8, 3):
        write_animation(tmp_path / "clip", _moving_square(num_frames), fps=8)
        files = sorted((tmp_path / "clip").iterdir())
        assert [file.name for file in files] == [f"frame-{number:04d}.png" for number in range(num_frames)]
    assert np.array_equal(np.asarray(Image.open(files[2])), _moving_square(3)[2])
    (tmp_path / "clip" / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match=r"mine\.txt: expected .* nothing else"):
        write_animation(tmp_path / "clip", _moving_square(), fps=8)
    assert (tmp_path / "clip" / "mine.txt").read_text() == "keep"


def test_mp4_gets_even_sides_and_the_right_length(tmp_path: Path):
    write_animation(tmp_path / "a.mp4", _moving_square(8, 21, 33), fps=8)
    read = iio.imread(tmp_path / "a.mp4", plugin="pyav")
    assert read.shape == (8, 22, 34, 3)
    assert iio.immeta(tmp_path / "a.mp4", plugin="pyav")["duration"] == pytest.approx(1.0)


def test_the_same_frames_give_the_same_bytes_and_nothing_is_left_aside(tmp_path: Path):
    for name in ("a.gif", "b.gif"):
        write_animation(tmp_path / name, _moving_square(), fps=8)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "b.gif"]


def test_wrong_arguments_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"suffix '\.avi', expected \.gif, \.webp"):
        write_animation(tmp_path / "a.avi", _moving_square(), fps=8)
    with pytest.raises(ValueError, match="fps = 0: expected more than 0"):
        write_gif(tmp_path / "a.gif", _moving_square(), fps=0)
    with pytest.raises(ValueError, match="expected uint8"):
        write_gif(tmp_path / "a.gif", _moving_square() / 255, fps=8)
    with pytest.raises(ValueError, match="last longer than"):
        write_gif(tmp_path / "a.gif", _moving_square(), fps=0.01)
    assert not list(tmp_path.iterdir())

"""The encoder: whatever it is given comes back, equal neighbours and odd delays included."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from pipeline.synthetic import Sticker, draw_stickers
from pipeline.synthetic.gif import encode_gif
from pipeline.synthetic.palette import quantise

CLEAR = (0, 0, 0, 0)
COLOURS = np.array([CLEAR, (0, 0, 0, 255), (255, 255, 255, 255), (200, 30, 40, 255), (0, 0, 1, 255)], np.uint8)


def decode(media: bytes) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Return canonical frames (T, H, W, 4) and T delays in milliseconds, as Pillow reads them."""
    frames, delays = [], []
    with Image.open(io.BytesIO(media)) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(np.array(frame.convert("RGBA")))
            delays.append(int(frame.info.get("duration", 0)))
    stacked = np.stack(frames)
    stacked[stacked[..., 3] == 0] = 0
    return stacked, tuple(delays)


@pytest.fixture(scope="module")
def stickers() -> list[Sticker]:
    return list(draw_stickers(40, seed=6))


def test_decoding_the_gif_gives_exactly_the_frames_and_delays(stickers: list[Sticker]) -> None:
    for sticker in stickers:
        frames, delays_ms = decode(encode_gif(sticker.frames, sticker.delays_ms))
        assert delays_ms == sticker.delays_ms, sticker.name
        assert np.array_equal(frames, sticker.frames), sticker.name


def test_clean_frames_encode_exactly_too(stickers: list[Sticker]) -> None:
    for sticker in stickers[:20]:
        frames, _ = decode(encode_gif(sticker.clean_frames, sticker.delays_ms))
        assert np.array_equal(frames, sticker.clean_frames), sticker.name


def test_some_stickers_hold_equal_neighbouring_frames(stickers: list[Sticker]) -> None:
    repeats = [np.all(s.frames[1:] == s.frames[:-1], axis=(1, 2, 3)).any() for s in stickers]
    assert any(repeats), "the case that Pillow would merge must be among those tested"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_small_clip_comes_back_frame_by_frame(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    first = 0 if data.draw(st.booleans()) else 1  # with or without transparency
    pixel = st.integers(first, len(COLOURS) - 1)
    picture = st.lists(pixel, min_size=height * width, max_size=height * width)
    different = data.draw(st.lists(picture, min_size=1, max_size=3))
    order = data.draw(st.lists(st.integers(0, len(different) - 1), min_size=1, max_size=7))
    indices = np.array([different[i] for i in order]).reshape(-1, height, width)
    indices[:, 0, 0] = 3  # one opaque colour that every frame shows
    delays = data.draw(st.lists(st.integers(0, 30), min_size=len(order), max_size=len(order)))
    delays_ms = tuple(10 * delay for delay in delays)
    frames = COLOURS[indices]
    decoded, decoded_delays = decode(encode_gif(frames, delays_ms))
    assert np.array_equal(decoded, frames)
    assert decoded_delays == delays_ms


def test_a_still_clip_keeps_all_its_frames() -> None:
    frames = np.broadcast_to(COLOURS[[[1, 2], [3, 0]]], (5, 2, 2, 4)).copy()
    decoded, delays = decode(encode_gif(frames, (50, 60, 0, 10, 70)))
    assert np.array_equal(decoded, frames)
    assert delays == (50, 60, 0, 10, 70)


def test_gifs_loop_forever() -> None:
    frames = COLOURS[np.array([[[1, 2]], [[2, 1]]])]
    with Image.open(io.BytesIO(encode_gif(frames, (50, 50)))) as image:
        assert image.info["loop"] == 0


def test_few_flat_colours_are_kept_almost_exactly() -> None:
    frames = np.repeat(COLOURS[[1, 2, 3, 0]][None, None], 2, axis=0)
    mapped = quantise(frames)
    assert mapped[..., 3].tolist() == frames[..., 3].tolist()
    assert np.abs(mapped.astype(int) - frames.astype(int)).max() <= 4


def test_quantising_many_colours_leaves_at_most_254_that_look_alike() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    red, green = np.meshgrid(ramp, ramp)
    frames = np.stack([red, green, (red // 2 + green // 2), np.full_like(red, 255)], axis=-1)[None]
    mapped = quantise(frames)
    assert len(np.unique(mapped.reshape(-1, 4), axis=0)) <= 254
    assert np.abs(mapped.astype(int) - frames.astype(int)).mean() < 8


@pytest.mark.parametrize(("alpha", "expected"), [(127, 0), (128, 255)])
def test_alpha_is_rounded_and_edges_get_their_straight_colour_back(alpha: int, expected: int) -> None:
    frames = np.zeros((1, 1, 2, 4), np.uint8)
    frames[0, 0, 0] = (200 * alpha // 255, 0, 0, alpha)
    frames[0, 0, 1] = (0, 0, 0, 255)
    mapped = quantise(frames)
    assert mapped[0, 0, 0, 3] == expected
    assert abs(int(mapped[0, 0, 0, 0]) - (200 if expected else 0)) <= 4

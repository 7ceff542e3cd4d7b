"""Pictures: decoded, composited, padded and resized."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from mobius_model.data.pictures import draw_frames, to_pixels
from pipeline.media.encode import encode_webp
from schemas.errors import CorruptMedia
from tests.mobius_model.data.tiny_root import coloured_frames

WHITE = (255, 255, 255)
RED, GREEN, BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
NOTHING = (0, 0, 0, 0)


def test_frames_come_in_the_order_asked_for_and_as_often() -> None:
    media = encode_webp(coloured_frames(RED, GREEN, BLUE), (100, 100, 100))
    drawn = draw_frames(media, [2, 0, 2, 1], num_distinct_frames=3, background=WHITE, size=8)
    assert drawn.shape == (4, 8, 8, 3)
    assert [tuple(frame[0, 0]) for frame in drawn] == [BLUE[:3], RED[:3], BLUE[:3], GREEN[:3]]


def test_the_background_shows_through_alpha() -> None:
    half_red = (255, 0, 0, 128)
    media = encode_webp(coloured_frames(half_red, NOTHING), (100, 100))
    drawn = draw_frames(media, [0, 1], num_distinct_frames=2, background=(0, 0, 100), size=8)
    assert np.abs(drawn[0, 4, 4].astype(int) - [128, 0, 50]).max() <= 1
    assert tuple(drawn[1, 4, 4]) == (0, 0, 100)


def test_clips_are_padded_to_a_square_with_the_background() -> None:
    media = encode_webp(coloured_frames(RED, size=(4, 8)))
    drawn = draw_frames(media, [0], num_distinct_frames=1, background=(0, 200, 0), size=8)[0]
    assert (drawn[:2] == (0, 200, 0)).all()
    assert (drawn[6:] == (0, 200, 0)).all()
    assert (drawn[2:6] == RED[:3]).all()


def test_what_is_transparent_leaves_no_fringe_when_resized() -> None:
    frame = np.zeros((1, 64, 64, 4), np.uint8)
    frame[0, 16:48, 16:48] = 255
    drawn = draw_frames(encode_webp(frame), [0], num_distinct_frames=1, background=WHITE, size=16)
    assert (drawn == 255).all(), "white on white stays white, though what is transparent is stored black"


def test_shrinking_takes_every_pixel_into_account() -> None:
    stripes = np.zeros((1, 64, 64, 4), np.uint8)
    stripes[..., 3] = 255
    stripes[:, :, ::2, :3] = 255
    drawn = draw_frames(encode_webp(stripes), [0], num_distinct_frames=1, background=WHITE, size=8)
    assert np.abs(drawn.astype(int) - 128).max() < 20


def test_pixels_lie_between_minus_one_and_one() -> None:
    pixels = to_pixels(np.array([[[[0, 255, 0]]]], np.uint8))
    assert pixels.dtype == torch.float32
    assert pixels.shape == (1, 3, 1, 1)
    assert pixels.flatten().tolist() == [-1, 1, -1]


def test_another_number_of_frames_than_promised_is_refused() -> None:
    media = encode_webp(coloured_frames(RED, GREEN), (100, 100))
    with pytest.raises(CorruptMedia, match="2 frames, its row says 3"):
        draw_frames(media, [0], num_distinct_frames=3, background=WHITE, size=8)


@pytest.mark.parametrize("cut", [0, 20, 60])
def test_broken_bytes_are_refused(cut: int) -> None:
    media = encode_webp(coloured_frames(RED, GREEN), (100, 100))[:cut]
    with pytest.raises(CorruptMedia):
        draw_frames(media, [1], num_distinct_frames=2, background=WHITE, size=8)


def test_other_formats_are_refused() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    with pytest.raises(CorruptMedia):
        draw_frames(buffer.getvalue(), [0], num_distinct_frames=1, background=WHITE, size=8)

"""Motion, sharpness and style of pictures made for it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.quality.motion import MovingArea
from pipeline.quality.sharpness import picture_sharpness, sharpness
from pipeline.quality.shown import over_white
from pipeline.quality.style import drawing_style, enlargement
from tests.quality.clips import SIZE, disc, plain


def test_over_white_blends_and_keeps_alpha() -> None:
    frame = np.array([[[0, 0, 0, 0], [10, 20, 30, 255]]], np.uint8)
    assert over_white(frame).tolist() == [[[255, 255, 255, 0], [10, 20, 30, 255]]]
    half = np.array([[[100, 0, 200, 128], [0, 0, 0, 0]]], np.uint8)
    assert over_white(half).tolist() == [[[177, 127, 227, 128], [255, 255, 255, 0]]]


def moving_area(*frames: NDArray[np.uint8]) -> float:
    area = MovingArea()
    for frame in frames:
        area.look_at(frame)
    return area.fraction


def test_moving_area_is_where_anything_ever_changes() -> None:
    still, half, other_half = plain(200, 200, 200), plain(200, 200, 200), plain(200, 200, 200)
    half[: SIZE // 2, :, 0] = 100
    other_half[:, : SIZE // 2, 3] = 0
    assert moving_area(still) == 0
    assert moving_area(still, half, still) == 0.5
    assert moving_area(still, half, other_half) == 0.75
    assert moving_area(still, plain(208, 200, 192)) == 0, "less than one sees"


def test_sharpness_falls_with_blur_whatever_the_contrast() -> None:
    found = [picture_sharpness(disc(32, blur=blur)) for blur in (0, 0.5, 1, 2)]
    assert found[0] == 1
    assert found == sorted(found, key=lambda each: -(each or 0))
    assert found[-1] is not None
    assert found[-1] < 0.3
    soft = disc(32, blur=1)
    faint = soft.copy()
    faint[..., :3] = 255 - (255 - soft[..., :3]) // 2
    assert picture_sharpness(faint) == pytest.approx(picture_sharpness(soft), abs=0.06)


def test_the_outline_of_a_cut_out_says_nothing_about_sharpness() -> None:
    blurred = disc(32, radius=14, blur=2)
    cut_out = blurred.copy()
    cut_out[np.hypot(*(np.mgrid[:SIZE, :SIZE] - 32)) > 26] = 0
    assert picture_sharpness(over_white(cut_out)) == pytest.approx(picture_sharpness(blurred), abs=0.05)
    coin = plain(200, 0, 0)
    coin[np.hypot(*(np.mgrid[:SIZE, :SIZE] - 32)) > 26] = 0
    assert picture_sharpness(over_white(coin)) is None


def test_frames_without_an_edge_do_not_count() -> None:
    assert sharpness([plain(9, 9, 9), disc(32), plain(0, 0, 0)]) == 1
    assert sharpness([plain(9, 9, 9)]) is None
    assert picture_sharpness(np.full((1, 1, 4), 255, np.uint8)) is None


def test_enlargement_is_found_whatever_the_drawing() -> None:
    small = np.random.default_rng(0).integers(0, 255, (12, 18, 4), np.uint8)
    for scale in (1, 2, 5):
        assert enlargement(small.repeat(scale, 0).repeat(scale, 1)) == scale
    assert enlargement(plain(1, 2, 3)) == 1


def ramp(size: int) -> NDArray[np.uint8]:
    """A ball with a soft light on it, over nothing."""
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    light = np.clip(255 - 300 * np.hypot(rows + 0.2, columns + 0.1), 0, 255)
    ball = np.dstack([light, light * 0.8, light * 0.2, np.full((size, size), 255)]).astype(np.uint8)
    ball[np.hypot(rows, columns) > 0.48] = 0
    return ball


def photograph(size: int) -> NDArray[np.uint8]:
    """Texture at every scale, in every colour."""
    generator = np.random.default_rng(0)
    picture = np.zeros((size, size, 3))
    for scale in (4, 8, 16, 32):
        noise = generator.uniform(-60, 60, (size // scale, size // scale, 3))
        picture += noise.repeat(scale, 0).repeat(scale, 1)
    picture += generator.uniform(-15, 15, picture.shape) + 128
    return np.dstack([np.clip(picture, 0, 255), np.full((size, size), 255)]).astype(np.uint8)


def test_style_is_told_from_numbers() -> None:
    sprite = np.random.default_rng(0).integers(0, 255, (16, 16, 4), np.uint8) | np.uint8([0, 0, 0, 255])
    assert drawing_style(sprite) == "pixel"
    assert drawing_style(sprite.repeat(16, 0).repeat(16, 1)) == "pixel"
    assert drawing_style(disc(32)) == "pixel", "64 pixels a side and two colours"
    assert drawing_style(disc(32, blur=0.5).repeat(2, 0).repeat(2, 1)[:, :-1]) == "flat"
    assert drawing_style(over_white(ramp(128))) == "shaded"
    assert drawing_style(photograph(128)) == "photo"
    assert drawing_style(plain(255, 255, 255).repeat(4, 0)) == "flat", "nothing is drawn"

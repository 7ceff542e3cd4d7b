"""Inpainting without weights: what is known stays, what is not goes on from it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.models.opencv_inpaint import OpenCvInpaintConfig, open_opencv_inpaint

METHODS = ["lines", "telea", "navier_stokes"]
HOLE = (slice(12, 24), slice(15, 40))


def mask_of(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], bool)
    mask[HOLE] = True
    return mask


@pytest.mark.parametrize("method", METHODS)
def test_what_the_mask_spares_stays_as_it_is(method: str) -> None:
    image = np.random.default_rng(0).integers(0, 255, (36, 56, 3), dtype=np.uint8)
    mask = mask_of(image.shape)
    filled = open_opencv_inpaint(OpenCvInpaintConfig(method=method)).inpaint(image, mask)
    assert np.array_equal(filled[~mask], image[~mask])
    assert not np.array_equal(filled[mask], image[mask])


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_picture_goes_on_flat(method: str) -> None:
    truth = np.full((36, 56, 3), (13, 200, 120), np.uint8)
    broken = truth.copy()
    broken[HOLE] = 255
    filled = open_opencv_inpaint(OpenCvInpaintConfig(method=method)).inpaint(broken, mask_of(truth.shape))
    assert np.abs(filled.astype(int) - truth).max() <= (0 if method == "lines" else 3)


def test_lines_carry_the_border_of_two_areas_behind_a_stroke_better_than_telea() -> None:
    truth = np.full((36, 56, 3), (250, 220, 90), np.uint8)
    truth[:, 28:] = (60, 90, 200)
    mask = np.zeros(truth.shape[:2], bool)
    mask[16:21, 10:50] = True
    broken = np.where(mask[..., None], np.uint8(255), truth)
    errors = {}
    for method in ("lines", "telea"):
        filled = open_opencv_inpaint(OpenCvInpaintConfig(method=method)).inpaint(broken, mask)
        errors[method] = float(np.abs(filled.astype(int) - truth)[mask].mean())
    assert errors["lines"] < errors["telea"]
    assert errors["lines"] < 4


def test_lines_carry_a_gradient_on() -> None:
    ramp = np.linspace(20, 230, 56).round().astype(np.uint8)
    truth = np.repeat(np.repeat(ramp[None, :, None], 36, axis=0), 3, axis=2)
    broken = truth.copy()
    broken[HOLE] = 0
    filled = open_opencv_inpaint(OpenCvInpaintConfig()).inpaint(broken, mask_of(truth.shape))
    assert np.abs(filled.astype(int) - truth).max() <= 2


def test_a_hole_at_the_edge_of_the_picture_is_filled_too() -> None:
    image = np.full((20, 20, 3), 90, np.uint8)
    image[15:, :] = 255
    mask = np.zeros((20, 20), bool)
    mask[15:, :] = True
    filled = open_opencv_inpaint(OpenCvInpaintConfig()).inpaint(image, mask)
    assert np.abs(filled.astype(int) - 90).max() <= 3


@pytest.mark.parametrize("everything", [True, False])
def test_with_nothing_to_go_on_or_nothing_to_do_the_picture_comes_back(everything: bool) -> None:
    image = np.random.default_rng(1).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    mask = np.full((5, 6), everything)
    assert np.array_equal(open_opencv_inpaint(OpenCvInpaintConfig()).inpaint(image, mask), image)

"""Where a masked pixel takes its value from: another frame, a flat surrounding, or the inpainter, in this order."""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.fill import Filled, fill_masks
from pipeline.clean.flicker import measure_flicker
from pipeline.models.opencv_inpaint import OpenCvInpaintConfig, open_opencv_inpaint

HOLE = (slice(10, 16), slice(12, 30))
SHAPE = (6, 28, 44)


def fill(frames: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Filled:
    inpainter = open_opencv_inpaint(OpenCvInpaintConfig())
    return fill_masks(frames, masks, inpainter=inpainter, same_ring=4, flat_tolerance=8)


def noise(seed: int = 0) -> NDArray[np.uint8]:
    picture = np.random.default_rng(seed).integers(40, 200, (*SHAPE[1:], 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def with_hole(picture: NDArray[np.uint8], shown_on: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return six frames of one picture, white in the hole on some, and the masks of those."""
    frames = np.repeat(picture[None], SHAPE[0], axis=0)
    masks = np.zeros(SHAPE, bool)
    for frame in shown_on:
        frames[frame][HOLE] = 255
        masks[frame][HOLE] = True
    return frames, masks


def test_a_still_picture_is_recovered_bit_by_bit() -> None:
    frames, masks = with_hole(noise(), [1, 2, 4])
    filled = fill(frames, masks)
    assert (filled.frames == noise()).all()
    assert filled.recovered_pixels == masks.sum()
    assert not filled.invented.any()


def test_nothing_is_taken_from_a_frame_whose_surroundings_differ() -> None:
    frames, masks = with_hole(noise(), [0, 1, 2, 3, 4])
    frames[5] = noise(seed=9)
    filled = fill(frames, masks)
    assert filled.recovered_pixels == 0
    assert filled.invented.sum() == masks.sum()


def test_nothing_is_taken_from_a_frame_that_shows_the_text_unmasked() -> None:
    frames, masks = with_hole(noise(), [0, 1, 2, 3, 4, 5])
    masks[3] = False
    filled = fill(frames, masks)
    assert filled.recovered_pixels == 0


def test_text_that_moves_is_recovered_from_several_frames() -> None:
    frames = np.repeat(noise()[None], 6, axis=0)
    masks = np.zeros(SHAPE, bool)
    for frame in range(6):
        place = (slice(10, 16), slice(2 + 5 * frame, 14 + 5 * frame))
        frames[frame][place] = 255
        masks[frame][place] = True
    filled = fill(frames, masks)
    assert (filled.frames == noise()).all()


def test_a_flat_surrounding_goes_on_exactly_and_a_transparent_one_stays_so() -> None:
    flat = np.full((*SHAPE[1:], 4), (12, 200, 77, 255), np.uint8)
    clear = np.zeros((*SHAPE[1:], 4), np.uint8)
    for picture in (flat, clear):
        frames, masks = with_hole(picture, [0, 1, 2, 3, 4, 5])
        filled = fill(frames, masks)
        assert (filled.frames == picture).all()
        assert filled.flat_pixels == masks.sum()


def test_nothing_bleeds_out_of_transparent_pixels() -> None:
    """Half the ground is red, half is nothing: what is invented is red or nothing, never dark."""
    picture = np.zeros((*SHAPE[1:], 4), np.uint8)
    picture[:, :21] = (220, 30, 30, 255)
    frames, masks = with_hole(picture, [0, 1, 2, 3, 4, 5])
    filled = fill(frames, masks)
    colours = {tuple(int(v) for v in pixel) for pixel in filled.frames[masks]}
    assert colours == {(220, 30, 30, 255), (0, 0, 0, 0)}


def test_pixels_outside_the_masks_and_the_frames_given_are_untouched() -> None:
    frames, masks = with_hole(noise(), [0, 2, 3, 5])
    before = frames.copy()
    filled = fill(frames, masks)
    assert np.array_equal(filled.frames[~masks], before[~masks])
    assert np.array_equal(frames, before)


def test_an_invention_over_a_nearly_still_ground_is_the_same_on_all_frames() -> None:
    """Dithering changes the surroundings by a grey level or two; the invented pixels do not follow it."""
    frames, masks = with_hole(noise(), [0, 1, 2, 3, 4, 5])
    tremble = np.random.default_rng(3).integers(0, 3, (*SHAPE, 3), dtype=np.uint8)
    frames[..., :3] = np.where(masks[..., None], frames[..., :3], frames[..., :3] + tremble)
    filled = fill(frames, masks)
    assert filled.invented.all(axis=0).sum() == masks[0].sum()
    assert (filled.frames[:, HOLE[0], HOLE[1]] == filled.frames[0][HOLE]).all()
    assert measure_flicker(filled.frames, masks, filled.invented) == 0


def test_flicker_is_what_changes_more_inside_than_around() -> None:
    frames, masks = with_hole(np.full((*SHAPE[1:], 4), 128, np.uint8), [0, 1, 2, 3, 4, 5])
    frames[..., 3] = 255
    frames[::2][:, HOLE[0], HOLE[1], :3] = 90
    frames[1::2][:, HOLE[0], HOLE[1], :3] = 120
    assert measure_flicker(frames, masks, masks) == 30

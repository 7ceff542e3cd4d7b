"""One palette for a clip: exact where it can be, better than a plain median cut where it cannot."""

import numpy as np
from PIL import Image

from mobius_model.sampling.palette import make_palette, to_indices


def _gradient(num_frames: int = 4, side: int = 48) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] / side
    frames = [np.stack([y, x, np.full_like(x, t / num_frames)], axis=-1) for t in range(num_frames)]
    return (np.stack(frames) * 255).astype(np.uint8)


def _mean_square(frames: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean((frames.astype(float) - other) ** 2))


def test_few_colours_are_kept_exactly_over_all_frames():
    frames = np.zeros((3, 4, 4, 3), np.uint8)
    frames[0], frames[1, 0], frames[2, 3, 3] = (1, 2, 3), (200, 10, 0), (1, 2, 4)
    palette = make_palette(frames, max_colours=255)
    assert sorted(map(tuple, palette.tolist())) == [(0, 0, 0), (1, 2, 3), (1, 2, 4), (200, 10, 0)]
    for dither in (False, True):
        assert np.array_equal(palette[to_indices(frames, palette, dither=dither)], frames)


def test_every_pixel_takes_its_nearest_colour():
    frames = _gradient(2, 12)
    palette = make_palette(frames, max_colours=20)
    distances = ((frames[..., np.newaxis, :].astype(int) - palette.astype(int)) ** 2).sum(axis=-1)
    chosen = to_indices(frames, palette, dither=False)
    assert np.array_equal(np.take_along_axis(distances, chosen[..., np.newaxis], -1)[..., 0], distances.min(axis=-1))


def test_many_colours_lose_less_than_by_a_median_cut():
    frames = _gradient()
    palette = make_palette(frames, max_colours=255)
    assert len(palette) <= 255
    cut = Image.fromarray(frames.reshape(-1, 48, 3)).quantize(255, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    plain = np.asarray(cut.convert("RGB")).reshape(frames.shape)
    ours = palette[to_indices(frames, palette, dither=False)]
    assert _mean_square(frames, ours) < 0.7 * _mean_square(frames, plain)


def test_a_rare_bright_spot_survives_among_thousands_of_whites():
    frames = np.random.default_rng(0).integers(236, 256, (8, 64, 64, 3)).astype(np.uint8)
    frames[:, 30:33, 30:33] = (10, 220, 10)
    palette = make_palette(frames, max_colours=255)
    spot = palette[to_indices(frames, palette, dither=False)][:, 30:33, 30:33].astype(int)
    assert np.abs(spot - (10, 220, 10)).max() < 16


def test_dithering_keeps_means_of_areas_and_what_stands_still_stays_still():
    frames = np.repeat(_gradient(1, 64), 3, axis=0)
    palette = make_palette(frames, max_colours=16)
    plain, dithered = (palette[to_indices(frames, palette, dither=dither)] for dither in (False, True))
    assert np.array_equal(dithered[0], dithered[2])
    blocks = [each[0].reshape(8, 8, 8, 8, 3).mean(axis=(1, 3)) for each in (frames, plain, dithered)]
    assert _mean_square(blocks[0], blocks[2]) < 0.5 * _mean_square(blocks[0], blocks[1])

"""Pictures and clips drawn by seed."""

import numpy as np

from schemas.clip import Clip


def noise(seed, height=40, width=36, alpha=255):
    """A straight-alpha image (H, W, 4) of which no two are alike."""
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    image[..., 3] = alpha
    return image


def clip_of(*seeds, delay_ms=100, height=40, width=36):
    """A clip of one distinct frame per seed; all delays the same, or one for each frame."""
    delays_ms = (delay_ms,) * len(seeds) if isinstance(delay_ms, int) else tuple(delay_ms)
    frames = np.stack([noise(seed, height, width) for seed in seeds])
    return Clip(frames, (1,) * len(seeds), delays_ms)

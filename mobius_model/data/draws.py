"""Draws: seed and position in the stream -> everything left to chance about one sample there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobius_model.data.config import DataConfig

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
SAMPLE_STREAM = 1  # keeps the draws about samples apart from those about their order, under the same seed


@dataclass(frozen=True, slots=True)
class Draw:
    """What chance decided.

    start: where the clip starts, in [0, 1) of what is possible.
    drops_caption: whether the empty caption takes the place of its own.
    background: the colour behind its alpha.
    """

    start: float
    drops_caption: bool
    background: Colour


def draw_sample(seed: int, position: int, config: DataConfig) -> Draw:
    """Return the draws of a position: a pure function, so nothing has to be stored to resume."""
    start, caption, *colour = unit_interval(random_words(3, seed, SAMPLE_STREAM, position))
    is_random = config.background == "random"
    return Draw(
        start=start if config.random_start else 0.0,
        drops_caption=caption < config.caption_dropout,
        background=_drawn_colour(colour[0]) if is_random else fixed_background(config),
    )


def unchanged_sample(config: DataConfig) -> Draw:
    """Return what validation and latents use: from the start, with its caption, a random background being white."""
    return Draw(0.0, False, WHITE if config.background == "random" else fixed_background(config))


def fixed_background(config: DataConfig) -> Colour:
    """Return the configured colour; only for a background that is not random."""
    assert config.background != "random"
    if config.background == "white":
        return WHITE
    red, green, blue = bytes.fromhex(config.background[1:])
    return red, green, blue


def random_words(num: int, *entropy: int) -> NDArray[np.uint64]:
    """Return (num,) uint64 words; bit generators, unlike numpy's distributions, give the same in every version."""
    words: NDArray[np.uint64] = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(num)
    return words


def unit_interval(words: NDArray[np.uint64]) -> list[float]:
    """Map words to [0, 1), all 53 bits of a float used."""
    floats: list[float] = ((words >> np.uint64(11)) * 2.0**-53).tolist()
    return floats


def _drawn_colour(value: float) -> Colour:
    colour = int(value * (1 << 24))
    return colour >> 16, colour >> 8 & 255, colour & 255

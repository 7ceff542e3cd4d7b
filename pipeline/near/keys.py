"""Keys: a signature -> a few numbers of which two alike signatures share at least one, most likely.

Random projections cut into steps (Datar and others, 2004, "Locality-sensitive hashing scheme based on p-stable
distributions"), of the part of a signature that mirroring leaves as it is. A third of the keys look at all rows, a
third not at the upper ones, a third not at the lower ones, which a caption may cover.

Shapes: N signatures, M = 112 numbers, B = 15 keys.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.near.distance import CAPTION_ROWS
from pipeline.quality.signature import CELLS, COARSE, unpack

NUM_KEYS = 15
NUM_CUTS = 7  # projections that make one key
STEP = 40.0  # in units of luminance; a projection of two alike signatures differs by about 5
SEED = 20240706


def band_keys(signatures: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """Return keys (N, B) and, for each, a place (N, B) by which those with an equal key can be put in order."""
    numbers = _mirror_free(signatures)
    places = numbers @ _projections() / np.float32(STEP) + _offsets()
    places = places.reshape(len(numbers), NUM_KEYS, NUM_CUTS + 1)
    cuts = np.floor(places[..., :NUM_CUTS]).astype(np.int64).astype(np.uint64)
    keys = np.zeros((len(numbers), NUM_KEYS), np.uint64)
    for cut in range(NUM_CUTS):
        keys = (keys ^ cuts[..., cut]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys, np.ascontiguousarray(places[..., NUM_CUTS], np.float32)


def _mirror_free(signatures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return light, change and colour with mirrored halves added: (N, M)."""
    parts = unpack(signatures)
    halves = []
    for cells in (parts.light, parts.change, parts.colour):
        half = cells.shape[-1] // 2
        both = cells[..., :half].astype(np.float32) + cells[..., : -half - 1 : -1]
        halves.append(both.reshape(len(both), -1) / np.float32(2))
    return np.concatenate(halves, axis=1)


def _projections() -> NDArray[np.float32]:
    """Return directions of length one (M, B x (cuts + 1)), the last of each key for the order."""
    rows = np.concatenate([
        np.repeat(np.arange(CELLS), CELLS // 2),
        np.repeat(np.arange(CELLS), CELLS // 2),
        np.tile(np.repeat(np.arange(COARSE) * (CELLS // COARSE), COARSE // 2), 2),
    ])  # fmt: skip
    drawn = np.random.default_rng(SEED).standard_normal((len(rows), NUM_KEYS, NUM_CUTS + 1))
    kinds = np.arange(NUM_KEYS) % 3
    drawn[np.ix_(rows < CAPTION_ROWS, kinds == 1)] = 0
    drawn[np.ix_(rows >= CELLS - CAPTION_ROWS, kinds == 2)] = 0
    drawn /= np.sqrt((drawn**2).sum(0))
    return np.asarray(drawn.reshape(len(rows), -1), np.float32)


def _offsets() -> NDArray[np.float32]:
    return np.asarray(np.random.default_rng(SEED + 1).random(NUM_KEYS * (NUM_CUTS + 1)), np.float32)

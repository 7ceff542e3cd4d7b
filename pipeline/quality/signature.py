"""Signature: what a clip looks like over its whole loop -> 162 bytes, and back.

Shapes: N signatures, G = 8 cells a side, K = 4 coarse cells a side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELLS = 8
COARSE = 4
NUM_CELLS = CELLS * CELLS
NUM_COARSE = COARSE * COARSE
ASPECT_STEPS = 24  # steps per doubling of width over height
SIZE_STEPS = 12  # steps per doubling of the content's pixels
NUM_BYTES = 2 * NUM_CELLS + 2 * NUM_COARSE + 2


@dataclass(frozen=True, slots=True)
class Signatures:
    """N signatures taken apart.

    light: uint8 (N, G, G), mean luminance of each cell over the loop.
    change: uint8 (N, G, G), twice the standard deviation of each cell's luminance over the loop.
    colour: uint8 (N, 2, K, K), mean red and blue difference, 128 = grey.
    aspect: uint8 (N,), logarithm of width over height of the content, 128 = square.
    size: uint8 (N,), logarithm of the content's pixels.
    """

    light: NDArray[np.uint8]
    change: NDArray[np.uint8]
    colour: NDArray[np.uint8]
    aspect: NDArray[np.uint8]
    size: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.aspect)


def pack(
    light: NDArray[np.float32],
    spread: NDArray[np.float32],
    colour: NDArray[np.float32],
    *,
    aspect: float,
    pixels: float,
) -> bytes:
    """Round to bytes: light and spread (G, G), colour (2, K, K) around 0, aspect as width over height."""
    scalars = [128 + ASPECT_STEPS * np.log2(aspect), SIZE_STEPS * np.log2(max(pixels, 1.0))]
    parts = [light.ravel(), 2 * spread.ravel(), 128 + colour.ravel(), np.array(scalars)]
    return np.concatenate(parts).round().clip(0, 255).astype(np.uint8).tobytes()


def unpack(signatures: NDArray[np.uint8]) -> Signatures:
    """Take apart N signatures (N, NUM_BYTES); the parts are views."""
    assert signatures.shape[1:] == (NUM_BYTES,), signatures.shape
    num = len(signatures)
    ends = np.cumsum([NUM_CELLS, NUM_CELLS, 2 * NUM_COARSE, 1])
    light, change, colour, aspect, size = np.split(signatures, ends, axis=1)
    return Signatures(
        light.reshape(num, CELLS, CELLS),
        change.reshape(num, CELLS, CELLS),
        colour.reshape(num, 2, COARSE, COARSE),
        aspect[:, 0],
        size[:, 0],
    )


def as_rows(signatures: list[bytes]) -> NDArray[np.uint8]:
    """Put signatures below each other: (N, NUM_BYTES)."""
    return np.frombuffer(b"".join(signatures), np.uint8).reshape(len(signatures), NUM_BYTES)

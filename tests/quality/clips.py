"""Clips made in code, so that a test says itself what moves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Clip

SIZE = 64


def clip_of(frames: Sequence[NDArray[np.uint8]], *, delay_ms: int = 100) -> Clip:
    """Merge equal neighbours, as decoding does."""
    distinct = [frames[0]]
    run_lengths = [1]
    for frame in frames[1:]:
        if np.array_equal(frame, distinct[-1]):
            run_lengths[-1] += 1
        else:
            distinct.append(frame)
            run_lengths.append(1)
    return Clip(np.stack(distinct), tuple(run_lengths), (delay_ms,) * len(frames))


def plain(*colour: int) -> NDArray[np.uint8]:
    """One colour, opaque unless an alpha is given."""
    return np.full((SIZE, SIZE, 4), [*colour, 255][:4], np.uint8)


def disc(place: float, *, radius: float = 10, blur: float = 0) -> NDArray[np.uint8]:
    """A blue disc on white, `place` pixels from the left, as sharp as its pixels or blurred."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(rows - SIZE / 2, columns - place)
    share = distance < radius if blur == 0 else 1 / (1 + np.exp((distance - radius) / blur))
    colour = np.where(share[..., None].astype(float), 255 - share[..., None] * [215.0, 155.0, 35.0], 255.0)
    return np.dstack([colour.round().astype(np.uint8), np.full((SIZE, SIZE), 255, np.uint8)])


def circling(num_frames: int, *, part: float = 1.0) -> list[NDArray[np.uint8]]:
    """A disc on a round path, `part` of the way round: the whole way closes without a seam."""
    frames = []
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for number in range(num_frames):
        angle = 2 * np.pi * part * number / num_frames
        centre = SIZE / 2 + 18 * np.array([np.cos(angle), np.sin(angle)])
        inside = np.hypot(rows - centre[1], columns - centre[0]) < 9
        frame = plain(255, 255, 255)
        frame[inside] = (200, 40, 40, 255)
        frames.append(frame)
    return frames

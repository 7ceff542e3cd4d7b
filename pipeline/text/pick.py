"""Pick: a clip -> the few distinct frames that OCR reads, so that every different content is likely among them.

Shapes: D distinct frames, H height, W width, G grid cells per side.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.text.backdrop import lay_over

GRID = 24
CHANGED_CELLS = 0.03  # share of the grid that tells how far apart two frames are: text is small
SAME_LOOK = 2.0  # grey levels; frames nearer than this show the same


def pick_frames(frames: NDArray[np.uint8], durations_ms: Sequence[int], *, grey: int, limit: int) -> list[int]:
    """Return at most `limit` frame indexes in time order.

    Half of them are spread evenly over the time the clip plays, so that text shown for a fair part of it is met;
    the rest go one by one to the frame that looks least like those already taken. Ends early when all look alike.
    """
    if len(frames) <= limit:
        return list(range(len(frames)))
    looks = np.stack([_look(frame, grey) for frame in frames])  # D, G*G, 3
    picked: list[int] = []
    nearest = np.full(len(frames), np.inf)
    for index in _spread(durations_ms, (limit + 1) // 2):
        picked.append(index)
        nearest = np.minimum(nearest, _distances(looks, index))
    while len(picked) < limit and nearest.max() > SAME_LOOK:
        picked.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _distances(looks, picked[-1]))
    return sorted(picked)


def _spread(durations_ms: Sequence[int], num: int) -> list[int]:
    """Return the frames shown at `num` moments, evenly from first to last, each frame once."""
    ends = np.cumsum(durations_ms)
    moments = (np.arange(num) + 0.5) / num * ends[-1]
    return sorted({int(index) for index in np.searchsorted(ends, moments, side="right")})


def _look(frame: NDArray[np.uint8], grey: int) -> NDArray[np.float32]:
    cells = cv2.resize(lay_over(frame, grey), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32).reshape(-1, 3)


def _distances(looks: NDArray[np.float32], index: int) -> NDArray[np.float64]:
    """Return for every frame (D) the mean change of its most changed cells against one frame, in grey levels."""
    change = np.abs(looks - looks[index]).mean(2)  # D, G*G
    num = max(1, int(CHANGED_CELLS * change.shape[1]))
    return np.asarray(np.partition(change, -num, axis=1)[:, -num:].mean(1), np.float64)

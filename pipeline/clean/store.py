"""Store: cleaned frames -> lossless media with run lengths, read back and compared before anybody relies on it.

Shapes: D distinct frames before cleaning, H height, W width; 4 = straight RGBA, uint8.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import iter_frames, scan_media
from pipeline.media.encode import encode_webp
from pipeline.media.limits import TRUSTED
from schemas.clip import Clip, run_durations_ms


@dataclass(frozen=True, slots=True)
class Stored:
    """A lossless animated WebP, the stored frames each of its frames stands for, and which it shows for each of D."""

    media: bytes
    run_lengths: list[int]
    index: list[int]


def store_frames(frames: NDArray[np.uint8], clip: Clip) -> Stored:
    """Encode cleaned frames (D, H, W, 4); neighbours that have become equal are merged and their time added up."""
    index = [0]
    for earlier, later in zip(range(len(frames) - 1), range(1, len(frames)), strict=True):
        index.append(index[-1] + (not np.array_equal(frames[earlier], frames[later])))
    run_lengths = [0] * (index[-1] + 1)
    for position, length in zip(index, clip.run_lengths, strict=True):
        run_lengths[position] += length
    firsts = [frame for frame in range(len(frames)) if frame == 0 or index[frame] != index[frame - 1]]
    distinct = frames if len(firsts) == len(frames) else frames[firsts]
    return Stored(encode_webp(distinct, run_durations_ms(run_lengths, clip.delays_ms)), run_lengths, index)


def comes_back(stored: Stored, clip: Clip, cleaned: NDArray[np.uint8], masks: NDArray[np.bool_]) -> bool:
    """Tell whether the media decodes to the cleaned frames, and those to the clip's outside the masks (D, H, W)."""
    shown = iter_frames(stored.media, scan_media(stored.media), limits=TRUSTED)
    position, picture = -1, None
    for frame, wanted in enumerate(stored.index):
        while position < wanted:
            position, picture = position + 1, next(shown, None)
        if picture is None or not np.array_equal(picture, cleaned[frame]):
            return False
        outside = ~masks[frame]
        if not np.array_equal(picture[outside], clip.frames[frame][outside]):
            return False
    return next(shown, None) is None

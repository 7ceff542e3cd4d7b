"""Measure: a clip -> its answer. Each number is defined in the file that computes it.

Memory: the decoded clip, which the limits of the probe bound, and a thumbnail of 4 kB for each of its frames.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.flash import max_flashes_per_second
from pipeline.quality.loop import describe_loop
from pipeline.quality.motion import MovingArea
from pipeline.quality.sharpness import sharpness
from pipeline.quality.shown import middle, over_white
from pipeline.quality.style import drawing_style
from pipeline.quality.thumbnails import Grids, first_equal, thumbnail
from schemas.answers import QualityAnswer
from schemas.clip import Clip

SHARPNESS_FRAMES = 3  # the first, the middle one and the last
DECIMALS = 6


def measure_clip(clip: Clip) -> QualityAnswer:
    """Measure the craft of one clip."""
    area, thumbnails = MovingArea(), []
    for frame in clip.frames:
        shown = over_white(frame)
        area.look_at(shown)
        thumbnails.append(thumbnail(shown))
    grids = np.stack(thumbnails)
    equal = first_equal(clip.frames)
    loop = describe_loop(grids, equal, clip.run_lengths)
    sharp = sharpness(over_white(middle(clip.frames[number])) for number in _spread(len(grids)))
    return QualityAnswer(
        seam_error=round(loop.seam_error, DECIMALS),
        is_ping_pong=loop.is_ping_pong,
        period_frames=loop.period_frames,
        num_periods=loop.num_periods,
        num_unique_frames=len(np.unique(equal)),
        moving_area=round(area.fraction, DECIMALS),
        sharpness=None if sharp is None else round(sharp, DECIMALS),
        max_flashes_per_second=max_flashes_per_second(grids, clip.durations_ms),
        style=drawing_style(over_white(clip.frames[_fullest(grids)])),
    )


def _spread(num_frames: int) -> list[int]:
    """Return the numbers of a few frames, evenly spread, the first among them."""
    return sorted({round(each) for each in np.linspace(0, num_frames - 1, min(num_frames, SHARPNESS_FRAMES))})


def _fullest(grids: Grids) -> int:
    """Return the first of the frames that show most: what fades in is told by what it becomes."""
    shares: NDArray[np.float64] = grids[..., 3].reshape(len(grids), -1).mean(axis=1)
    return int(shares.argmax())

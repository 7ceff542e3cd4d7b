"""Hues: the shares of the colour names on the figure over time -> the colours it goes through.

Shapes: D distinct frames; 13 names.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Hues
from pipeline.models.describe.palette import NAMES
from pipeline.models.describe.tracks import Tracks

MIN_COLORED = 0.2  # share of the figure's pixels that must have a hue, for a frame to be judged
MIN_JUDGED_TIME = 0.6  # share of the time with such frames
MIN_RISE = 0.22  # share of the coloured pixels that a colour reaches when it is there
MAX_REST = 0.08  # share that it keeps when it is gone
MIN_CYCLE = 3  # colours that come and go: several
MIN_CYCLE_TIME = 0.03  # share of the time for which each of several is there
MIN_PAIR_TIME = 0.1  # share of the time for which each of two is there
MIN_PAIR_RISE = 0.5  # share of the coloured pixels that each of two reaches
MIN_PAIR_SHARE = 0.75  # share of the coloured pixels that two have together, on average: then there are no others


def find_hues(tracks: Tracks, durations_ms: tuple[int, ...]) -> Hues | None:
    """Return the colours that come and go on the figure, None if its colours stay or it has none."""
    is_judged = tracks.shown & (tracks.colored >= MIN_COLORED)
    weights = np.array(durations_ms, np.float64) / max(1, sum(durations_ms))
    if weights[is_judged].sum() < MIN_JUDGED_TIME:
        return None
    names, weights = tracks.names[is_judged], weights[is_judged]
    times = weights @ (names >= MIN_RISE)  # 13
    comes_and_goes = names.min(axis=0) <= MAX_REST
    pair = _pair(names * (comes_and_goes & (times >= MIN_PAIR_TIME)), weights)
    if pair is None and int((comes_and_goes & (times >= MIN_CYCLE_TIME)).sum()) >= MIN_CYCLE:
        return Hues()
    return pair


def _pair(names: NDArray[np.float64], weights: NDArray[np.float64]) -> Hues | None:
    """The two colours that reach the largest shares (D, 13), in the order in which they first do."""
    reached = names.max(axis=0)
    best = np.argsort(-reached, kind="stable")[:2]
    together = float(weights @ names[:, best].sum(axis=1) / weights.sum())
    if reached[best].min() < MIN_PAIR_RISE or together < MIN_PAIR_SHARE:
        return None
    first, second = sorted(best, key=lambda name: int((names[:, name] >= MIN_PAIR_RISE).argmax()))
    return Hues(NAMES[first], NAMES[second])

"""Stir: how often each pixel changed -> how much of the canvas changes, and where.

Shapes: h w plate.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Place, Stir
from pipeline.models.describe.picture import place_at
from pipeline.models.describe.travel import amount_of

MAX_PLACED_SHARE = 0.45  # of the canvas: what changes more has no place
MIN_SIDE_MASS = 0.7  # share of the change in one half of the canvas: it is mostly there
MIN_CENTER_MASS = 0.6  # share of the change in the middle half of both sides


def find_stir(stirred: NDArray[np.int_]) -> Stir | None:
    """Return how much of the canvas (h, w) ever changes, and mostly where; None if nothing visible does."""
    share = float((stirred > 0).mean())
    if share == 0:
        return None
    return Stir(amount_of(share), _place(stirred / stirred.sum()) if share <= MAX_PLACED_SHARE else None)


def _place(weights: NDArray[np.float64]) -> Place | None:
    row, column = _half(weights.sum(axis=1)), _half(weights.sum(axis=0))
    if row or column:
        return place_at(row, column)
    height, width = weights.shape
    middle = weights[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return Place.CENTER if middle.sum() >= MIN_CENTER_MASS else None


def _half(mass: NDArray[np.float64]) -> int:
    """-1 if most of the mass (n,) lies in the first half, 1 if in the second, 0 if in neither."""
    first, second = mass[: len(mass) // 2].sum(), mass[(len(mass) + 1) // 2 :].sum()
    return int(second >= MIN_SIDE_MASS) - int(first >= MIN_SIDE_MASS)

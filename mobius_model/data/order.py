"""Order: seed and position in an endless stream -> the sample that lies there.

Row groups are permuted, a few at a time form a window, and the samples of a window are shuffled together, so reading
stays local. Every epoch holds every sample once. Only one window is ever worked out: memory and the cost of starting
in the middle do not depend on how many samples there are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobius_model.data.draws import random_words

GROUP_STREAM = 2
WINDOW_STREAM = 3


class Place(NamedTuple):
    """A sample: the `nth` of the samples to train on in row group `row_group`."""

    row_group: int
    nth: int


class Order:
    """The order of one seed over row groups with `sizes` samples to train on; a pure function of the position."""

    def __init__(self, sizes: Sequence[int], *, seed: int, window: int) -> None:
        self.sizes = np.asarray(sizes, np.int64)
        self.num_samples = int(self.sizes.sum())
        self.seed = seed
        self.window = window
        assert self.num_samples > 0, "an order over nothing"
        self._epoch: tuple[int, NDArray[np.int64], NDArray[np.int64]] | None = None
        self._window: tuple[tuple[int, int], list[Place]] | None = None

    def sample_at(self, position: int) -> Place:
        """Return the sample at a position: epoch position // N, place position % N in that epoch's order."""
        epoch, place = divmod(position, self.num_samples)
        groups, ends = self._epoch_plan(epoch)
        number = int(np.searchsorted(ends, place, side="right"))
        first = int(ends[number - 1]) if number else 0
        return self._window_places(epoch, number, groups)[place - first]

    def _epoch_plan(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the permuted row groups and, for each window of them, where it ends."""
        if self._epoch is None or self._epoch[0] != epoch:
            groups = _permutation(len(self.sizes), self.seed, GROUP_STREAM, epoch)
            starts = np.arange(0, len(groups), self.window)
            self._epoch = epoch, groups, np.add.reduceat(self.sizes[groups], starts).cumsum()
        return self._epoch[1], self._epoch[2]

    def _window_places(self, epoch: int, number: int, groups: NDArray[np.int64]) -> list[Place]:
        if self._window is None or self._window[0] != (epoch, number):
            members = groups[number * self.window : (number + 1) * self.window]
            ordered = [Place(int(group), nth) for group in members for nth in range(self.sizes[group])]
            shuffled = _permutation(len(ordered), self.seed, WINDOW_STREAM, epoch, number)
            self._window = (epoch, number), [ordered[each] for each in shuffled]
        return self._window[1]


def _permutation(num: int, *entropy: int) -> NDArray[np.int64]:
    return np.argsort(random_words(num, *entropy), kind="stable")

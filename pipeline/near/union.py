"""Union: pairs that belong together, a batch at a time -> for each of N numbers the least one it is linked to."""

import numpy as np
from numpy.typing import NDArray


class Union:
    """Connected components of the numbers 0 to N - 1; 8 bytes for each, whatever the number of pairs."""

    def __init__(self, num: int) -> None:
        self._parents = np.arange(num, dtype=np.int64)

    def add(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> None:
        """Link pairs."""
        while len(ones):
            ones, others = self.find(ones), self.find(others)
            is_apart = ones != others
            ones, others = ones[is_apart], others[is_apart]
            np.minimum.at(self._parents, np.maximum(ones, others), np.minimum(ones, others))

    def find(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the least number each is linked to."""
        roots = self._parents[numbers]
        while True:
            above = self._parents[roots]
            if np.array_equal(above, roots):
                break
            roots = above
        self._parents[numbers] = roots
        return roots

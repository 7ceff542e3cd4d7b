"""Memory: the last results by request, so that a batch asked again in halves costs no second answer."""

from collections import OrderedDict
from typing import Generic, TypeVar

R = TypeVar("R")


class Memory(Generic[R]):
    """At most `size` results, the longest unused forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[bytes, R] = OrderedDict()

    def get(self, digest: bytes) -> R | None:
        """Return what was kept for a request, if it still is."""
        if digest not in self._results:
            return None
        self._results.move_to_end(digest)
        return self._results[digest]

    def keep(self, digest: bytes, result: R) -> None:
        """Keep a result, and forget the one unused for longest where there are too many."""
        self._results[digest] = result
        self._results.move_to_end(digest)
        while len(self._results) > self._size:
            self._results.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._results.clear()

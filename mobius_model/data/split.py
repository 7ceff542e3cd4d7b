"""Split: keys of a set -> which samples are trained on and which are held out, by a hash of the key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobius_model.data.row_groups import RowGroup, RowGroupReader

HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Split:
    """Held-out samples of a set of N samples in row groups.

    is_held_out: bool (N,), in stored order.
    firsts: int64 (row groups + 1,), where each row group begins in it.
    validation: (row group, row) of the held-out samples that are looked at, in stored order.
    """

    is_held_out: NDArray[np.bool_]
    firsts: NDArray[np.int64]
    validation: tuple[tuple[int, int], ...]

    @property
    def num_train(self) -> int:
        return int(len(self.is_held_out) - self.is_held_out.sum())

    def train_rows(self, row_group: int) -> NDArray[np.int64]:
        """Return the rows of a row group that are trained on, in stored order."""
        return np.flatnonzero(~self.is_held_out[self.firsts[row_group] : self.firsts[row_group + 1]])

    def train_sizes(self) -> list[int]:
        """Return how many samples of each row group are trained on."""
        held_out = np.concatenate([[0], self.is_held_out.cumsum()])[self.firsts]
        sizes: list[int] = (np.diff(self.firsts) - np.diff(held_out)).tolist()
        return sizes


def split_samples(reader: RowGroupReader, *, fraction: float, max_validation_samples: int) -> Split:
    """Hold out the samples whose hash is below a share of all hashes; adding samples moves none between the parts.

    Of 2 samples or more at least one is held out if `fraction` > 0, and at least one is trained on.
    Reads the column `key`, one row group at a time.
    """
    firsts = _firsts(reader.row_groups)
    hashes = np.empty(firsts[-1], np.uint64)
    for index in range(len(reader.row_groups)):
        keys = reader.read_once(index, ["key"])["key"].to_pylist()
        hashes[firsts[index] : firsts[index + 1]] = [_hash(key) for key in keys]
    is_held_out = hashes < np.uint64(fraction * 256.0**HASH_BYTES)
    if len(hashes) > 1 and fraction > 0:
        is_held_out[hashes.argmin()] = True
    if len(hashes) > 0 and is_held_out.all():
        is_held_out[hashes.argmax()] = False
    return Split(is_held_out, firsts, _looked_at(is_held_out, hashes, firsts, max_validation_samples))


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=HASH_BYTES).digest(), "big")


def _firsts(row_groups: Sequence[RowGroup]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([group.num_rows for group in row_groups])]).astype(np.int64)


def _looked_at(
    is_held_out: NDArray[np.bool_], hashes: NDArray[np.uint64], firsts: NDArray[np.int64], max_samples: int
) -> tuple[tuple[int, int], ...]:
    """Return the held-out samples of the smallest hashes, so that a limited number is spread over the whole set."""
    held_out = np.flatnonzero(is_held_out)
    chosen = np.sort(held_out[np.argsort(hashes[held_out], kind="stable")[:max_samples]])
    groups = np.searchsorted(firsts, chosen, side="right") - 1
    return tuple((int(group), int(row - firsts[group])) for group, row in zip(groups, chosen, strict=True))

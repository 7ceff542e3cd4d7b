"""Reading ahead: order is kept, memory is bounded, and what goes wrong is raised in its turn."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import read_ahead
from pipeline.sources.content import Content, found, unreadable
from schemas.errors import MachineFault

MIB = 1 << 20


class Shelf:
    """Files of given sizes in MiB, None for one that is not there; counts what is read and not yet handed on."""

    def __init__(self, sizes: list[int | None]) -> None:
        self.sizes = sizes
        self.held = self.most_held = 0
        self.lock = threading.Lock()

    def measure(self, number: int) -> int | Content:
        size = self.sizes[number]
        return unreadable(f"no {number}") if size is None else size * MIB

    def fetch(self, number: int) -> Content:
        with self.lock:
            self.held += self.sizes[number] or 0
            self.most_held = max(self.most_held, self.held)
        return found(number.to_bytes(4))

    def read(self) -> Iterator[tuple[int, Content]]:
        for number, content in read_ahead.read_ahead(range(len(self.sizes)), measure=self.measure, fetch=self.fetch):
            with self.lock:
                self.held -= self.sizes[number] or 0
            yield number, content


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.integers(0, 100), max_size=80))
def test_every_file_comes_in_its_place_and_within_the_memory_allowed(sizes: list[int | None]) -> None:
    shelf = Shelf(sizes)
    expected = [
        unreadable(f"no {number}") if size is None else found(number.to_bytes(4)) for number, size in enumerate(sizes)
    ]
    assert list(shelf.read()) == list(enumerate(expected))
    assert shelf.most_held * MIB <= 2 * read_ahead.MAX_HELD_BYTES  # the one being handed on is counted here too


def test_a_file_larger_than_the_memory_allowed_is_read_alone() -> None:
    shelf = Shelf([1, 500, 500, 1])
    assert [number for number, _ in shelf.read()] == [0, 1, 2, 3]
    assert shelf.most_held <= 501 + 500  # with the one being handed on


def test_many_files_are_fetched_at_the_same_time() -> None:
    """Sixteen readers meet at a barrier, which one after another would never pass."""
    together = threading.Barrier(read_ahead.NUM_READERS)

    def fetch(number: int) -> Content:
        together.wait(timeout=60)
        return found(b"")

    ahead = read_ahead.read_ahead(range(2 * read_ahead.NUM_READERS), measure=lambda number: 1, fetch=fetch)
    assert len(list(ahead)) == 2 * read_ahead.NUM_READERS


@pytest.mark.parametrize("where", ["measure", "fetch"])
def test_what_comes_before_a_fault_is_handed_on_and_then_it_is_raised(where: str) -> None:
    def fail_at_five(number: int) -> int:
        if number == 5:
            raise MachineFault("gone")
        return 1

    def measure(number: int) -> int:
        return fail_at_five(number) if where == "measure" else 1

    def fetch(number: int) -> Content:
        return found(bytes(fail_at_five(number))) if where == "fetch" else found(b"")

    seen = []
    with pytest.raises(MachineFault):
        for number, _ in read_ahead.read_ahead(range(40), measure=measure, fetch=fetch):
            seen.append(number)
    assert seen == [0, 1, 2, 3, 4]


def test_no_more_is_asked_of_an_endless_list_than_is_read_ahead() -> None:
    asked: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            asked.append(len(asked))
            yield len(asked)

    ahead = read_ahead.read_ahead(endless(), measure=lambda number: 1, fetch=lambda number: found(b""))
    for _ in range(10):
        next(ahead)
    ahead.close()  # type: ignore[attr-defined]
    assert len(asked) <= 10 + 2 * read_ahead.NUM_READERS

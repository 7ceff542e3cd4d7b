"""Batches come in order with what was prepared for them, a few at a time, whatever fails."""

import threading
from contextlib import closing

import pytest

from pipeline.ahead import DEPTH, prepare_ahead


def test_every_batch_comes_in_order_with_what_was_prepared_for_it() -> None:
    threads = set()

    def double(batch: int) -> int:
        threads.add(threading.get_ident())
        return 2 * batch

    found = [(batch, prepared.wait()) for batch, prepared in prepare_ahead(range(10), double)]
    assert found == [(number, 2 * number) for number in range(10)]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_nothing_comes_of_no_batches() -> None:
    assert list(prepare_ahead([], str)) == []


def test_an_error_belongs_to_its_batch() -> None:
    def refuse_two(batch: int) -> int:
        if batch == 2:
            raise ValueError("two")
        return batch

    found = []
    for batch, prepared in prepare_ahead(range(4), refuse_two):
        prepared.join()
        if batch == 2:
            assert prepared.cpu_seconds == 0
            with pytest.raises(ValueError, match="two"):
                prepared.wait()
        else:
            found.append(prepared.wait())
    assert found == [0, 1, 3]


def test_what_reading_raises_comes_after_the_batches_before_it() -> None:
    def read():
        yield 0
        yield 1
        raise OSError("gone")

    found = []
    with pytest.raises(OSError, match="gone"):
        found.extend(batch for batch, _ in prepare_ahead(read(), str))
    assert found == [0, 1]


def test_two_batches_are_made_ready_while_one_is_held() -> None:
    both = threading.Event()
    made = []

    def make(batch: int) -> int:
        made.append(batch)
        if len(made) == 1 + DEPTH:
            both.set()
        return batch

    with closing(prepare_ahead(range(9), make)) as ahead:
        next(ahead)
        assert both.wait(30), made


def test_no_more_is_read_than_is_asked_for() -> None:
    read = []

    def batches():
        for number in range(100):
            read.append(number)
            yield number

    before = threading.active_count()
    with closing(prepare_ahead(batches(), str)) as ahead:
        for batch, prepared in ahead:
            prepared.wait()
            assert len(read) <= batch + 1 + DEPTH
            if batch == 5:
                break
    assert len(read) <= 6 + DEPTH
    assert threading.active_count() == before, "the thread ends with whoever stops asking"

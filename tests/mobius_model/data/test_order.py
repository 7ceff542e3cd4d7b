"""The order: exact, local, and a pure function of the position."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mobius_model.data.order import Order

EXPECTED = [(0, 2), (0, 1), (0, 0), (2, 0), (3, 0), (2, 3), (3, 1), (2, 1), (2, 2)]
SIZES = st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 5), st.integers(0, 2**63), st.integers(0, 10**9))
def test_every_epoch_holds_every_sample_once(sizes: list[int], window: int, seed: int, epoch: int) -> None:
    order = Order(sizes, seed=seed, window=window)
    first = epoch * order.num_samples
    seen = [order.sample_at(position) for position in range(first, first + order.num_samples)]
    assert sorted(seen) == [(group, nth) for group, size in enumerate(sizes) for nth in range(size)]


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 5), st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_position_holds_the_same_sample_whatever_was_asked_before(
    sizes: list[int], window: int, seed: int, positions: list[int]
) -> None:
    order = Order(sizes, seed=seed, window=window)
    asked = [order.sample_at(position) for position in positions]
    assert asked == [Order(sizes, seed=seed, window=window).sample_at(position) for position in positions]


def test_epochs_and_seeds_differ() -> None:
    order = Order([50, 50], seed=0, window=2)
    first = [order.sample_at(position) for position in range(100)]
    assert first != [order.sample_at(position) for position in range(100, 200)]
    assert first != [Order([50, 50], seed=1, window=2).sample_at(position) for position in range(100)]


def test_the_order_never_changes_between_versions() -> None:
    order = Order([3, 0, 4, 2], seed=7, window=2)
    assert [tuple(order.sample_at(position)) for position in range(9)] == EXPECTED


def test_samples_come_from_no_more_row_groups_than_a_window_has() -> None:
    order = Order([10] * 40, seed=3, window=4)
    for first in range(0, 400, 40):
        assert len({order.sample_at(position).row_group for position in range(first, first + 40)}) == 4


def test_starting_far_into_a_huge_set_works_out_one_window_only() -> None:
    order = Order([1000] * 20_000, seed=0, window=8)
    order.sample_at(5 * 20_000_000 + 12_345_678)
    assert order._window is not None
    assert len(order._window[1]) == 8000

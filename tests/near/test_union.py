"""Pairs, in batches -> the least number each is linked to."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.near.union import Union

NUM = 12
PAIRS = st.lists(st.tuples(st.integers(0, NUM - 1), st.integers(0, NUM - 1)), max_size=20)


@given(batches=st.lists(PAIRS, max_size=3))
def test_every_number_finds_the_least_it_is_linked_to(batches: list[list[tuple[int, int]]]):
    union = Union(NUM)
    expected = list(range(NUM))
    for batch in batches:
        pairs = np.array(batch, np.int64).reshape(-1, 2)
        union.add(pairs[:, 0], pairs[:, 1])
        for one, other in batch:
            low, high = sorted((expected[one], expected[other]))
            expected = [low if each == high else each for each in expected]
    assert union.find(np.arange(NUM)).tolist() == expected

"""Work is cut into few pieces, and every pending row is in exactly one of them."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.chunk import Slice
from pipeline.chunks import MAX_CHUNKS, _deal, _split


@given(num_slices=st.integers(0, 5000), num_chunks=st.integers(1, MAX_CHUNKS))
def test_slices_are_dealt_into_at_most_so_many_chunks_in_order(num_slices: int, num_chunks: int) -> None:
    slices = [Slice(f"{number:05d}", 0, 3) for number in range(num_slices)]
    chunks = list(_deal(slices, num_chunks))
    assert len(chunks) <= num_chunks
    assert [part for chunk in chunks for part in chunk] == slices
    assert not chunks or max(map(len, chunks)) - min(map(len, chunks)) <= 1


@given(first=st.integers(0, 100), num_rows=st.integers(1, 300), num_slices=st.integers(1, 400))
def test_a_shard_is_split_into_slices_of_about_equal_length(first: int, num_rows: int, num_slices: int) -> None:
    slices = list(_split("00000", first, first + num_rows - 1, num_slices))
    assert [row for part in slices for row in part.rows] == list(range(first, first + num_rows))
    assert len(slices) == min(num_rows, num_slices)
    lengths = [len(part.rows) for part in slices]
    assert max(lengths) - min(lengths) <= 1


def test_a_stage_never_has_more_than_256_task_runs() -> None:
    planning_and_deciding = 3
    assert MAX_CHUNKS + planning_and_deciding <= 256

"""Work is cut into few pieces, and every pending row group is in exactly one of them."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.chunk import Slice
from pipeline.chunks import MAX_CHUNKS, _deal


@given(num_slices=st.integers(0, 5000), num_chunks=st.integers(1, MAX_CHUNKS))
def test_slices_are_dealt_into_at_most_so_many_chunks_in_order(num_slices: int, num_chunks: int) -> None:
    slices = [Slice(f"{number:05d}", 0, 3) for number in range(num_slices)]
    chunks = list(_deal(slices, num_chunks))
    assert len(chunks) <= num_chunks
    assert [part for chunk in chunks for part in chunk] == slices


def test_a_stage_never_has_more_than_256_task_runs() -> None:
    planning_and_deciding = 3
    assert MAX_CHUNKS + planning_and_deciding <= 256

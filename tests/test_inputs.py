"""Whichever rows of a shard a task takes, it reads those and no others, across row groups too."""

import pytest

from pipeline.ingest import IngestConfig, ingest_source
from pipeline.inputs import ShardInputs, Wanted
from pipeline.root import DatasetRoot
from tests.test_ingest import write_source


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> DatasetRoot:
    """One shard of nine samples in row groups of four, three and two, as `ingest` cuts them."""
    folder = tmp_path_factory.mktemp("inputs")
    root = DatasetRoot(folder / "root")
    ingest_source(root, write_source(folder / "s", range(9)), config=IngestConfig(max_row_group_samples=4))
    return root


@pytest.mark.parametrize("first", range(9))
def test_the_samples_of_some_rows_are_read_and_no_others(root: DatasetRoot, first: int) -> None:
    with ShardInputs(root, "00000", Wanted(()), {}) as shard:
        for end in range(first + 1, 10):
            rows = range(first, end)
            groups = shard.row_groups(rows)
            found = [each for group in groups for each in shard.read(group, rows, is_kept, is_kept)]
            assert [each.sample.path for each in found] == [f"{row:03d}.gif" for row in rows]
            assert all(shard.has(group, rows, is_kept) for group in groups), "none is opened for nothing"


def is_kept(key: str) -> bool:
    return True

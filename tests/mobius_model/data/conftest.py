"""One small root for all tests that only read."""

from pathlib import Path

import pytest

from tests.mobius_model.data.tiny_root import tiny_clip, write_set

NUM_CLIPS = 30


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 clips in t2v, three files of three row groups of 4, and their first frames in t2i."""
    root = tmp_path_factory.mktemp("tiny") / "root"
    clips = [tiny_clip(number) for number in range(NUM_CLIPS)]
    write_set(root, "t2v", clips)
    return write_set(root, "t2i", clips)

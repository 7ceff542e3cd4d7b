"""A lock keeps others out, and a place that cannot hold one is named."""

from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.lock import locked


def test_a_second_holder_is_told_and_the_lock_is_free_again_afterwards(tmp_path: Path):
    path = tmp_path / "new/lock"
    with locked(path, busy="taken"), pytest.raises(UserError, match="taken"), locked(path, busy="taken"):
        pass
    with locked(path, busy="taken"):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    expected = r"file/inner: cannot be written \(Not a directory\)"
    with pytest.raises(UserError, match=expected), locked(tmp_path / "file/inner/lock", busy="taken"):
        pass

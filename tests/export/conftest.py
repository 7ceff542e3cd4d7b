"""One small root for all tests that only read."""

from pathlib import Path

import pytest

from tests.export.small_set import write_small_root


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_root(tmp_path_factory.mktemp("small") / "root")

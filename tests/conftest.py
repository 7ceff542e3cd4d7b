"""What tests share: the real corpora, where they are present."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the flows, the longest files: the short ones then fill up what time the workers have left."""
    items.sort(key=lambda item: item.path.parent.name != "flows")


def _folder(name: str) -> Path:
    path = CORPUS / name
    if not path.is_dir():
        pytest.skip(f"{path} is not there: set MOBIUS_CORPUS to the folder that holds `{name}`")
    return path


@pytest.fixture(scope="session")
def corpus_sample() -> Path:
    """531 labelled real GIFs."""
    return _folder("sample")


@pytest.fixture(scope="session")
def corpus_hostile() -> Path:
    """153 odd files, each with an expected outcome."""
    return _folder("hostile")

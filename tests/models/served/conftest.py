"""What tests of served models share: the library they need, pauses that are noted instead of waited, and models."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.models.served import ServedTranslationConfig, ServedTranslator
from pipeline.models.served.model import ServedModel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing here can run without the client library."""
    try:
        import openai  # noqa: F401
    except ImportError:
        for item in items:
            if "served" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason="openai is not installed: pip install 'mobius[served]'"))


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that a model opened here would have waited."""
    return []


@pytest.fixture
def opened(pauses: list[float]) -> Iterator[Callable[..., Any]]:
    """Open a served model that waits for nothing; closed at the end of the test."""
    models: list[ServedModel] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    def open_it(kind: type[ServedModel], config: Any) -> ServedModel:
        models.append(kind(config, pause=note))
        return models[-1]

    yield open_it
    for model in models:
        model.close()


@pytest.fixture
def translator(opened: Callable[..., Any]) -> Callable[..., ServedTranslator]:
    """Open a translator for some endpoints."""

    def open_it(*urls: str, **settings: Any) -> ServedTranslator:
        return opened(ServedTranslator, ServedTranslationConfig(endpoints=urls, model="tiny", **settings))

    return open_it

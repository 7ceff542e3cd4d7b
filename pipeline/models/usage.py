"""Usage: what a model has written so far, for those that count it."""

from typing import Any, Protocol


class Usage(Protocol):
    """Counts since a model was opened."""

    @property
    def num_tokens(self) -> int:
        """Tokens written in all answers."""

    @property
    def last_finished(self) -> list[bool] | None:
        """Whether each answer of the last call ended by itself; None for models that refuse one that did not."""


def usage_of(model: Any) -> Usage | None:
    """Return the counts of a model; None for one that writes no tokens."""
    usage: Usage | None = getattr(model, "usage", None)
    return usage

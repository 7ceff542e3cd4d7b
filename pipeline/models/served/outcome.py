"""Outcome: what came of one attempt to have a request answered: a text, or a trouble and whose it is."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from pipeline.models.served.errors import ServerFailed
from schemas.errors import SampleError


class Whose(Enum):
    """Who has to do something about a trouble."""

    PERSON = auto()  # key, model name or address are wrong: nothing will ever be answered
    SAMPLE = auto()  # the server says so of this request; a refusal, only if it refuses no plain one
    MACHINE = auto()  # too busy or gone: no sample's fault
    UNKNOWN = auto()  # the server failed: by itself, or because of this request


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's text, and the tokens read and written as the server counts them (0 where it does not)."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an attempt gave no text.

    error: what the sample is blamed with, if it is to blame.
    may_pass: another attempt may succeed. is_reply: the model did its work; it is alive whatever it said.
    is_down: nobody listens at the endpoint, or it said that it is overloaded.
    retry_after: seconds for which the server wants no request. was_asked: False where no attempt was made.
    url: the endpoint that was asked.
    """

    whose: Whose
    detail: str
    error: type[SampleError] = ServerFailed
    may_pass: bool = False
    is_reply: bool = False
    is_down: bool = False
    retry_after: float | None = None
    was_asked: bool = True
    url: str = ""
    tokens_in: int = 0
    tokens_out: int = 0

    def but(self, *, whose: Whose) -> "Trouble":
        """Return the same trouble as somebody's, for good."""
        return replace(self, whose=whose, may_pass=False)


Outcome = Answer | Trouble

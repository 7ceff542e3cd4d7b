"""Usage: what a model has generated so far, for rows, logs and the summary of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AnswerCost:
    """Tokens generated for one answer, the one that ends it included, and whether it ended by itself."""

    num_tokens: int
    is_finished: bool  # False: cut by the limit of new tokens


@dataclass(slots=True)
class Usage:
    """Counts since the model was opened; one thread writes, as one thread asks the model.

    seconds: in the model, without preparation. last: of each answer of the last call, in order.
    batch_limit: samples that fit at once, once memory has run out; 0 before.
    """

    num_answers: int = 0
    num_tokens: int = 0
    num_unfinished: int = 0
    seconds: float = 0.0
    batch_limit: int = 0
    last: list[AnswerCost] = field(default_factory=list)

    def add(self, cost: AnswerCost) -> None:
        """Count one answer."""
        self.num_answers += 1
        self.num_tokens += cost.num_tokens
        self.num_unfinished += not cost.is_finished

    @property
    def last_finished(self) -> list[bool]:
        """Whether each answer of the last call ended by itself."""
        return [cost.is_finished for cost in self.last]

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens over seconds in the model; 0 before the first."""
        return self.num_tokens / self.seconds if self.seconds else 0.0


def sum_costs(costs: Sequence[AnswerCost]) -> AnswerCost:
    """Add up the parts of one answer; it is finished if all of them are."""
    return AnswerCost(sum(cost.num_tokens for cost in costs), all(cost.is_finished for cost in costs))

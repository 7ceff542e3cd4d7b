"""Usage: what a model has generated so far, for rows, logs and the summary of a run."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Usage:
    """Counts since the model was opened; one thread writes, as one thread asks the model.

    num_tokens: generated, the one that ends an answer included. num_unfinished: answers cut by the limit of new
    tokens. seconds: in the model, without preparation. last_tokens: of each answer of the last call, in order.
    batch_limit: samples that fit at once, once memory has run out; 0 before.
    """

    num_answers: int = 0
    num_tokens: int = 0
    num_unfinished: int = 0
    seconds: float = 0.0
    batch_limit: int = 0
    last_tokens: list[int] = field(default_factory=list)

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens over seconds in the model; 0 before the first."""
        return self.num_tokens / self.seconds if self.seconds else 0.0

"""Source: what every kind of pile looks like to whoever ingests it."""

from collections.abc import Container, Iterator
from typing import Protocol

from schemas.sample import Sample


class Source(Protocol):
    """A pile of samples in a fixed order. It holds nothing open between iterations: nothing is to be closed.

    Files are opened by `samples` and closed when its iterator ends or is closed.
    """

    @property
    def name(self) -> str:
        """The name that is part of every key."""

    @property
    def kind(self) -> str:
        """labels | label_folders | tar | parquet"""

    def state(self) -> str | None:
        """Return a digest that is the same while nothing was added; None if only reading it all can tell.

        Equal states mean equal keys: whoever has all samples of this state need not read the source again.
        """

    def check(self) -> None:
        """Read through what somebody may have written wrong, before any sample is read. Raises UserError."""

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield every sample in a fixed order, except those whose key is in `skip`: their bytes are not read.

        What cannot be read is a sample too: media None, with reason and detail.
        Raises UserError for labels that somebody wrote wrong, MachineFault where the machine is to blame.
        """

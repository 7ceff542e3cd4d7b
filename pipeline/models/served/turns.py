"""Turns: several endpoints -> the one to ask next; one that fails is left out for a while."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count

REST_SECONDS = 30.0
MAX_FAILURES_IN_A_ROW = 3  # one may be the sample's; of more, the endpoint is suspected


@dataclass(slots=True)
class Turn:
    """What is known of one endpoint. Seconds are the clock's.

    rests_until: nobody is sent there before, as long as another endpoint is awake.
    closed_until: the server itself asked for no request before this, whatever else there is.
    """

    url: str
    failures_in_a_row: int = 0
    rests_until: float = 0.0
    closed_until: float = 0.0


class Turns:
    """The endpoints, asked one after the other."""

    def __init__(self, urls: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._turns = [Turn(url) for url in urls]
        self._clock = clock
        self._count = count()

    def choose(self, among: Collection[str] | None = None) -> tuple[str, float]:
        """Return an endpoint, one of some if they are given, and the seconds to wait before it may be asked.

        The next in turn that is awake and open; where all rest, the one whose rest ends first.
        """
        now = self._clock()
        first = next(self._count)
        turns = [turn for turn in self._turns if among is None or turn.url in among]
        in_turn = [turns[(first + step) % len(turns)] for step in range(len(turns))]
        chosen = min(in_turn, key=lambda turn: max(turn.rests_until, turn.closed_until, now))
        return chosen.url, max(0.0, chosen.closed_until - now)

    def succeeded(self, url: str) -> None:
        """Note that an endpoint answered; whatever it answered, it is alive."""
        turn = self._of(url)
        turn.failures_in_a_row, turn.rests_until = 0, 0.0

    def failed(self, url: str, *, is_down: bool, retry_after: float | None) -> None:
        """Note that an endpoint failed; it rests if it is down or fails time and again.

        retry_after: seconds for which the server wants no request.
        """
        turn, now = self._of(url), self._clock()
        turn.failures_in_a_row += 1
        if retry_after is not None:
            turn.closed_until = max(turn.closed_until, now + retry_after)
        elif is_down or turn.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            turn.rests_until = now + REST_SECONDS

    def _of(self, url: str) -> Turn:
        return next(turn for turn in self._turns if turn.url == url)

"""Served model: what all abilities have in common once opened: a name, a client, a count, an end."""

import asyncio

from pipeline.models.served.attempt import Usage
from pipeline.models.served.client import Pause, ServedClient, no_use
from pipeline.models.served.config import ServedConfig
from pipeline.models.served.errors import AnswerFiltered, AnswerTruncated
from pipeline.models.served.identity import name_served
from pipeline.models.served.outcome import Answer, Trouble, Whose
from pipeline.models.served.request import Request
from schemas.errors import MachineFault, UserError


class ServedModel:
    """An opened model.

    probe: a plain request of the kind it will be asked; `pause` waits for some seconds.
    """

    def __init__(self, config: ServedConfig, *, probe: Request, pause: Pause = asyncio.sleep) -> None:
        self.identity = name_served(config)
        self._model = config.model
        self._probe = probe
        self._client = ServedClient(config, probe=probe, pause=pause)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and seconds since it was opened."""
        return self._client.usage

    def check(self) -> None:
        """Ask every endpoint the plain request, to find out before a run whether the model is there and sees pictures.

        Some servers take pictures for a model without eyes and drop them silently; then they cost no tokens.
        An endpoint that is down is left to be, as long as another answers: it is asked when it is back.
        Raises UserError where any endpoint needs a person, MachineFault where none answers, SampleError where the
        plain request has no usable answer.
        """
        tokens = self._tokens_at_endpoints(self._probe)
        blind = self._probe.without_pictures()
        if blind == self._probe:
            return
        for url, tokens_blind in self._tokens_at_endpoints(blind).items():
            if 0 < tokens.get(url, 0) <= tokens_blind:
                raise UserError(f"model {self._model!r} at {url} looks at no pictures: they add no tokens to a request")

    def forget(self) -> None:
        """Forget all answers, so that equal requests are asked again.

        For whoever compares the answers to the same samples asked in two ways: without it the second is the first.
        """
        self._client.forget()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _tokens_at_endpoints(self, request: Request) -> dict[str, int]:
        """Tokens that each living endpoint read for a request; 0 where it does not count."""
        tokens: dict[str, int] = {}
        silent: list[Trouble] = []
        for url, outcome in self._client.ask_everywhere(request).items():
            if isinstance(outcome, Answer) or outcome.error in (AnswerTruncated, AnswerFiltered):
                tokens[url] = outcome.tokens_in
            elif outcome.is_reply:
                raise outcome.error(outcome.detail)
            elif outcome.whose is Whose.PERSON:
                raise UserError(outcome.detail)
            elif outcome.whose is Whose.SAMPLE:
                raise UserError(no_use(outcome.detail))
            else:
                silent.append(outcome)
        if not tokens:
            raise MachineFault(silent[0].detail)
        return tokens

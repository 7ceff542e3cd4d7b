"""Served model: what all abilities have in common once opened: a name, a client, a count, an end."""

import asyncio
import contextlib

from pipeline.models.served.attempt import Usage
from pipeline.models.served.client import Pause, ServedClient
from pipeline.models.served.config import ServedConfig
from pipeline.models.served.errors import AnswerFiltered, AnswerTruncated
from pipeline.models.served.identity import name_served
from pipeline.models.served.request import Request
from schemas.errors import UserError


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
        """Ask the plain request, to find out before a run whether the model is there and sees pictures.

        Some servers take pictures for a model without eyes and drop them silently; then they cost no tokens.
        Raises UserError, MachineFault and SampleError as any other request does.
        """
        tokens = self._tokens_of(self._probe)
        blind = self._probe.without_pictures()
        if blind != self._probe and 0 < tokens <= self._tokens_of(blind):
            raise UserError(f"model {self._model!r} looks at no pictures: they add no tokens to a request")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _tokens_of(self, request: Request) -> int:
        """Tokens that the server read for a request not asked before; 0 where it does not count."""
        before = self.usage.tokens_in
        with contextlib.suppress(AnswerTruncated, AnswerFiltered):
            self._client.ask([request])
        return self.usage.tokens_in - before

"""Attempt: one request to one endpoint -> an outcome; no error of the library or the network leaves this file.

Errors become outcomes here, rather than causes of others: theirs hold the request with its Authorization header.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

from pipeline.models.served.config import ServedConfig
from pipeline.models.served.outcome import Answer, Outcome, Trouble
from pipeline.models.served.reply import read_completion, read_connection_error, read_status
from pipeline.models.served.request import Request
from pipeline.models.served.secret import Secret
from schemas.errors import UserError

CONNECT_SECONDS = 10.0


@dataclass(slots=True)
class Usage:
    """What has been asked so far. Tokens are the server's count; seconds those of all attempts added up."""

    num_requests: int = 0  # attempts, retries included
    num_answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0

    @property
    def num_tokens(self) -> int:
        """Tokens written in all answers."""
        return self.tokens_out

    @property
    def last_finished(self) -> None:
        """An answer that was cut is an error already."""
        return


class Attempts:
    """The endpoints' connections. To be used inside one event loop."""

    def __init__(self, config: ServedConfig, secret: Secret) -> None:
        try:
            import openai
        except ImportError as error:
            raise UserError("a served model needs the package openai: pip install 'mobius[served]'") from error
        self._config = config
        self._scrub = secret.scrub
        self._openai: Any = openai
        self.usage = Usage()
        limits = openai.Timeout(config.timeout, connect=min(config.timeout, CONNECT_SECONDS))
        self._clients: dict[str, Any] = {
            url: openai.AsyncOpenAI(
                base_url=url,
                api_key=secret.reveal(),
                max_retries=0,
                timeout=limits,
                http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),  # nobody else names addresses
            )
            for url in config.endpoints
        }

    async def attempt(self, request: Request, url: str) -> Outcome:
        """Ask once, without retries, within the config's time limit."""
        started = time.perf_counter()
        outcome = await self._ask(request, url)
        self.usage.num_requests += 1
        self.usage.num_answers += isinstance(outcome, Answer) or outcome.is_reply
        self.usage.tokens_in += outcome.tokens_in
        self.usage.tokens_out += outcome.tokens_out
        self.usage.seconds += time.perf_counter() - started
        if isinstance(outcome, Trouble):
            return replace(outcome, detail=self._scrub(outcome.detail))
        return replace(outcome, text=self._scrub(outcome.text))

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()

    async def _ask(self, request: Request, url: str) -> Outcome:
        try:
            async with asyncio.timeout(self._config.timeout):
                completions = self._clients[url].chat.completions
                reply = await completions.with_raw_response.create(**request.body(self._config))
            return read_completion(reply.content, url=url)
        except self._openai.APIStatusError as error:
            headers = error.response.headers
            return read_status(error.status_code, error.message, headers, code=error.code, url=url)
        except (self._openai.APIConnectionError, TimeoutError) as error:
            return read_connection_error(error, url=url, seconds=self._config.timeout)

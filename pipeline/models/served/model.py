"""Served model: what all abilities have in common once opened: a name, a client, a count, an end."""

import asyncio

from pipeline.models.served.attempt import Usage
from pipeline.models.served.client import Pause, ServedClient
from pipeline.models.served.config import ServedConfig
from pipeline.models.served.identity import name_served
from pipeline.models.served.request import Request


class ServedModel:
    """An opened model.

    probe: a plain request of the kind it will be asked; `pause` waits for some seconds.
    """

    def __init__(self, config: ServedConfig, *, probe: Request, pause: Pause = asyncio.sleep) -> None:
        self.identity = name_served(config)
        self._client = ServedClient(config, probe=probe, pause=pause)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and seconds since it was opened."""
        return self._client.usage

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

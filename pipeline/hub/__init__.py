"""Hub: the models that a config names by `owner/name` -> folders on this machine, fetched once."""

from pipeline.hub.fetch import Fetched, fetch
from pipeline.hub.wanted import HubModel, Need, wanted_models

__all__ = ["Fetched", "HubModel", "Need", "fetch", "wanted_models"]

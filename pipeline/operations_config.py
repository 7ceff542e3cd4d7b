"""How a run is watched: what it logs, and whether it serves its numbers. Nothing here changes a result."""

from typing import Literal

from pydantic import Field

from schemas.config import StrictConfig


class LogConfig(StrictConfig):
    """What the processes of a run say on standard error, on every machine."""

    format: Literal["bars", "text", "json"] = "bars"  # bars: for people; warnings and worse as text between them
    level: Literal["debug", "info", "warning", "error"] = "info"  # of text and json


class MetricsConfig(StrictConfig):
    """Numbers for Prometheus, served by the run's own process while it lasts, to whoever can reach the address."""

    port: int | None = Field(None, ge=0, le=65535)  # none: not served; 0: any free one, the log says which
    address: str = Field("127.0.0.1", min_length=1)  # 0.0.0.0 where Prometheus runs elsewhere

"""Metrics: what the run's own process knows -> numbers that Prometheus fetches while the run lasts.

Workers are many and short-lived; the driver is one, and every chunk's count comes back to it. So it alone serves.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from flows.log import log_event
from pipeline.blame import UNFORESEEN
from pipeline.chunk import ChunkCount
from pipeline.models.served import errors as served_errors
from pipeline.operations_config import MetricsConfig
from schemas.errors import SampleError, UserError

OTHER = "other"
assert served_errors.RequestRefused.reason, "imported so that its reasons are known"


class RunMetrics:
    """The numbers of one run. Labels: stages, which are few, and reasons of a closed set."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"mobius_{name}", what, ["stage", *labels], registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"mobius_{name}", what, ["stage"], registry=registry)

        self.samples = counter("samples", "Samples done; rate() of it is files per second")
        self.answered = counter("answered", "Answers of finished chunks that are ok")
        self.failed = counter("failed", "Answers of finished chunks that failed, by reason", "reason")
        self.tokens = counter("tokens", "Tokens that models wrote, in finished chunks")
        self.seconds = counter("work_seconds", "Seconds of work in finished chunks, added up over workers")
        self.waited = counter("waited_seconds", "Of these, until a batch was prepared: a model waits as long")
        self.chunks = counter("chunks", "Finished chunks")
        self.retries = counter("chunk_retries", "Attempts of finished chunks beyond the first")
        self.pending = gauge("pending_samples", "Samples that this stage still has to do")
        self.written = gauge("written_bytes", "Bytes of this stage's finished files in the root")
        self.stage_left = gauge("stage_left_seconds", "Time left for this stage, from its rate")
        self.left = Gauge("mobius_left_seconds", "Time left for the run, of stages measured before", registry=registry)
        self.left.set(math.nan)
        self.started = Gauge("mobius_started_timestamp_seconds", "When the run began", registry=registry)

    def count_chunk(self, stage: str, count: ChunkCount, *, num_retries: int) -> None:
        """Add what a finished chunk did."""
        self.chunks.labels(stage).inc()
        self.retries.labels(stage).inc(num_retries)
        self.answered.labels(stage).inc(count.num_ok)
        self.seconds.labels(stage).inc(count.seconds)
        self.waited.labels(stage).inc(count.waited_seconds)
        self.tokens.labels(stage).inc(count.tokens)
        for reason, num in count.failed.items():
            self.failed.labels(stage, reason if reason in known_reasons() else OTHER).inc(num)


@contextmanager
def served(metrics: RunMetrics, config: MetricsConfig) -> Iterator[None]:
    """Serve the numbers at /metrics, if the config names a port. Raises UserError for one that cannot be had."""
    if config.port is None:
        yield
        return
    try:
        server, thread = start_http_server(config.port, config.address, metrics.registry)
    except OSError as error:
        where = f"metrics.address = {config.address!r}, metrics.port = {config.port}"
        raise UserError(f"{where}: cannot be served there ({error.strerror}), expected a free port") from error
    log_event("metrics_served", address=config.address, port=server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@lru_cache(maxsize=1)
def known_reasons() -> frozenset[str]:
    """Return every reason that our own errors have."""
    reasons, waiting = {UNFORESEEN}, [SampleError]
    while waiting:
        kind = waiting.pop()
        reasons.add(kind.reason)
        waiting += kind.__subclasses__()
    return frozenset(reasons)

"""Open each model once per worker process (and thread: not every model may be shared), and keep it."""

import threading
from typing import Any

from pipeline.plan import StagePlan

_local = threading.local()


def open_model_once(plan: StagePlan) -> Any:
    """Return the stage's model, opened on first use; another fingerprint of the same stage replaces it."""
    opened: dict[str, tuple[str, Any]] = _local.__dict__.setdefault("opened", {})
    known = opened.get(plan.stage.name)
    if known is None or known[0] != plan.fingerprint:
        known = (plan.fingerprint, plan.stage.open_model(plan.config))
        opened[plan.stage.name] = known
    return known[1]

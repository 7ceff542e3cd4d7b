"""Open the model of a stage once per worker process (and thread: not every model may be shared), and keep it.

One at a time: stages come one after the other, and the models of two may not fit into a GPU together.
"""

import gc
import sys
import threading
from typing import Any

from pipeline.models.writer import close
from pipeline.plan import StagePlan

_local = threading.local()


def open_model_once(plan: StagePlan) -> Any:
    """Return the stage's model, opened on first use; that of another stage, or fingerprint, gives way to it."""
    opened: tuple[tuple[str, str], Any] | None = getattr(_local, "opened", None)
    wanted = (plan.stage.name, plan.fingerprint)
    if opened is None or opened[0] != wanted:
        if opened is not None:
            close_model()
        opened = (wanted, plan.stage.open_model(plan.config))
        sys.audit("mobius.opened", plan.stage.name)
        _local.opened = opened
    return opened[1]


def close_model() -> None:
    """Forget the model this thread has opened, and give back its memory and connections."""
    opened = _local.__dict__.pop("opened", None)
    if opened is not None:
        close(opened[1])
    del opened
    torch = sys.modules.get("torch")  # loaded only if some model needed it
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()

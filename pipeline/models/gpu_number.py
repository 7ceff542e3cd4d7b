"""Which GPU the models of this thread open on, counted from 0; what has no notion of a current device asks here."""

import threading

_local = threading.local()


def choose_gpu(number: int | None) -> None:
    """Remember the number; none: whatever a library takes by itself."""
    _local.number = number


def chosen_gpu() -> int | None:
    """Return the number that was chosen in this thread, if any."""
    number: int | None = getattr(_local, "number", None)
    return number

"""Trackers: numbers per step -> TensorBoard, or whatever else accelerate knows by name."""

from collections.abc import Sequence

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

from schemas.errors import UserError


def check_trackers(names: Sequence[str]) -> list[str]:
    """Return the names as accelerate takes them. Raises UserError for one it does not know or cannot open."""
    known = sorted(map(str, LOGGER_TYPE_TO_CLASS))
    available = {str(getattr(each, "value", each)) for each in get_available_trackers()}
    for name in names:
        if name not in known:
            raise UserError(f"trackers: {name!r} is unknown, expected some of {', '.join(known)}")
        if name not in available:
            raise UserError(
                f"trackers: {name!r} is not installed, expected its package or another of {', '.join(known)}"
            )
    return list(names)

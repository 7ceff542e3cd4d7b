"""Home path: a path as somebody typed it, perhaps from `~` on -> the path; for the fields of configs."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def expand_home(path: Path) -> Path:
    """Replace a leading `~` or `~user`. Raises ValueError where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{str(path)!r} names the home of a user who is not known here") from error


HomePath = Annotated[Path, AfterValidator(expand_home)]

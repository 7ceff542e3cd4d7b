"""Scratch: temporary folders named after the process they belong to, so that a dead one's can be told and removed."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

NAME = re.compile(r"mobius-[a-z]+-(\d+)-.+")


def scratch_prefix(purpose: str) -> str:
    """Return how a temporary folder of this process begins."""
    return f"mobius-{purpose}-{os.getpid()}-"


def orphaned_folders() -> Iterator[Path]:
    """Yield the temporary folders of processes of this machine and user that are gone."""
    for folder in sorted(Path(tempfile.gettempdir()).iterdir()):
        match = NAME.fullmatch(folder.name)
        is_ours = match and folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
        if match and is_ours and not is_alive(int(match[1])):
            yield folder


def is_alive(process: int) -> bool:
    """True if a process of this machine has this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

"""Seed: Prefect's database, migrated once per version of Prefect -> a copy that a temporary server starts from.

Migrating an empty database takes half of a server's start. The copy is taken before anything was run, so it holds
tables and nothing else; without a place to keep it everything works, a few seconds slower.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib import metadata
from pathlib import Path

DATABASE = "prefect.db"


def lay_seed(home: Path) -> bool:
    """Copy the kept database into a new Prefect home; False if none is kept."""
    try:
        shutil.copyfile(_kept(), home / DATABASE)
    except OSError:
        return False
    return True


def keep_seed(home: Path) -> None:
    """Keep the database of a server that has just started."""
    kept = _kept()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=kept.parent)
        os.close(handle)
    except OSError:
        return
    try:
        with closing(sqlite3.connect(home / DATABASE)) as database, closing(sqlite3.connect(aside)) as copy:
            database.backup(copy)
        Path(aside).replace(kept)
    except (OSError, sqlite3.Error):
        Path(aside).unlink(missing_ok=True)


def _kept() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "mobius" / f"prefect-{metadata.version('prefect')}.db"

"""Container files: a file, or a folder of files of one kind -> the names to open, in a fixed order."""

import os
from collections.abc import Sequence

from pipeline.sources.config import SourceConfig
from pipeline.sources.files import Files
from schemas.errors import UserError


def find_containers(config: SourceConfig, files: Files, suffixes: Sequence[str]) -> tuple[bytes, ...]:
    """Return the names, sorted by their bytes: that of source.path itself, or of those in it that end so.

    Hidden files and sub folders are passed over. Raises UserError if there is none.
    """
    if files.file_name is not None:
        return (files.file_name,)
    names = files.list_containers(tuple(os.fsencode(suffix) for suffix in suffixes))
    if not names:
        raise UserError(f"source.path {config.path}: no file in it ends in {' or '.join(suffixes)}")
    return names


def is_container(name: bytes, endings: tuple[bytes, ...]) -> bool:
    """True for a visible file name with one of the endings, in either case."""
    return name.lower().endswith(endings) and not name.startswith(b".")

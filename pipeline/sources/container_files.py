"""Container files: a file, or a folder of files of one kind -> the names to open, in a fixed order."""

import os
from collections.abc import Sequence

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import shown
from pipeline.sources.reading import lies_in
from schemas.errors import UserError


def list_containers(config: SourceConfig, suffixes: Sequence[str]) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a folder and the names in it, sorted by their bytes: source.path itself, or those that end so.

    Hidden files and sub folders are passed over.
    Raises UserError if there is none, or if one is a link that leads out of the folder unless `follow_links`.
    """
    root = os.fsencode(config.path)
    if os.path.isfile(root):
        folder, name = os.path.split(os.path.abspath(root))
        return folder, (name,)
    endings = tuple(os.fsencode(suffix) for suffix in suffixes)
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in entries if is_container(entry.name, endings) and entry.is_file())
    if not names:
        raise UserError(f"source.path {config.path}: no file in it ends in {' or '.join(suffixes)}")
    if not config.follow_links:
        _refuse_links_outside(root, names)
    return root, tuple(names)


def is_container(name: bytes, endings: tuple[bytes, ...]) -> bool:
    """True for a visible file name with one of the endings, in either case."""
    return name.lower().endswith(endings) and not name.startswith(b".")


def _refuse_links_outside(root: bytes, names: Sequence[bytes]) -> None:
    real_root = os.path.realpath(root)
    for name in names:
        target = os.path.realpath(os.path.join(root, name))
        if not lies_in(target, real_root):
            raise UserError(f"{shown(name)} is a link that leads out of source.path; source.follow_links allows it")

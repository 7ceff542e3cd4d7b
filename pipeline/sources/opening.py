"""Opening: a SourceConfig -> a Source whose path, columns and label file were found to be in order."""

import os
from collections.abc import Callable

from pipeline.sources.config import SourceConfig
from pipeline.sources.detection import KnownKind, detect_kind
from pipeline.sources.label_folders import LabelFolders
from pipeline.sources.listed_folder import open_listed_folder
from pipeline.sources.parquet_files import open_parquet_files
from pipeline.sources.reading import FILE_ERRNOS, machine_fault
from pipeline.sources.source import Source
from pipeline.sources.tar_archives import open_tar_archives
from schemas.errors import UserError

OPENERS: dict[KnownKind, Callable[[SourceConfig], Source]] = {
    "labels": open_listed_folder,
    "label_folders": LabelFolders,
    "tar": open_tar_archives,
    "parquet": open_parquet_files,
}
FOLDERS_ONLY = frozenset({"labels", "label_folders"})


def open_source(config: SourceConfig) -> Source:
    """Return the source that a config describes, its kind found out if it is `auto`.

    Raises UserError for a path that is missing, empty or of no kind that we read (naming source.path), for a
    broken line of a label file (naming the line); MachineFault where the machine is to blame.
    """
    try:
        _check_path(config)
        kind = detect_kind(config.path, follow_links=config.follow_links) if config.kind == "auto" else config.kind
        return OPENERS[kind](config)
    except OSError as error:
        if error.errno not in FILE_ERRNOS:
            raise machine_fault(error) from error
        raise UserError(f"source.path {config.path}: {error.strerror}") from error


def _check_path(config: SourceConfig) -> None:
    path = config.path
    if "\0" in path or not os.path.exists(path):
        raise UserError(f"source.path {path!r}: no such file or folder")
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            if not any(entries):
                raise UserError(f"source.path {path}: an empty folder")
    elif config.kind in FOLDERS_ONLY:
        raise UserError(f"source.path {path}: a file, but source.kind '{config.kind}' needs a folder")
    elif not os.path.isfile(path):
        raise UserError(f"source.path {path}: neither a file nor a folder")

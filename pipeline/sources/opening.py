"""Opening: a SourceConfig -> a Source whose path, columns and label file were found to be in order."""

from collections.abc import Callable
from pathlib import Path

from pipeline.sources.config import SourceConfig
from pipeline.sources.detection import KnownKind, detect_kind
from pipeline.sources.disk_files import DiskFiles
from pipeline.sources.files import Files
from pipeline.sources.label_folders import LabelFolders
from pipeline.sources.listed_folder import find_listed_folder
from pipeline.sources.object_files import ObjectFiles
from pipeline.sources.parquet_files import find_parquet_files
from pipeline.sources.reading import FILE_ERRNOS, machine_fault
from pipeline.sources.source import Source
from pipeline.sources.tar_archives import find_tar_archives
from schemas.errors import UserError
from schemas.location import parse_location

FINDERS: dict[KnownKind, Callable[[SourceConfig, Files], Source]] = {
    "labels": find_listed_folder,
    "label_folders": LabelFolders,
    "tar": find_tar_archives,
    "parquet": find_parquet_files,
}
FOLDERS_ONLY = frozenset({"labels", "label_folders"})


def open_source(config: SourceConfig, *, known_state: str | None = None) -> Source:
    """Return the source that a config describes, its kind found out if it is `auto`.

    It is checked, which reads a label file through, unless it is in `known_state`: that of a source read to its end.
    Raises UserError for a path that is missing, empty or of no kind that we read (naming source.path), for a
    broken line of a label file (naming the line); MachineFault where the machine is to blame.
    """
    try:
        files = _open_files(config)
        if files.file_name is not None and config.kind in FOLDERS_ONLY:
            raise UserError(f"source.path {config.path}: a file, but source.kind '{config.kind}' needs a folder")
        kind = detect_kind(config, files) if config.kind == "auto" else config.kind
        source = FINDERS[kind](config, files)
        if known_state is None or source.state() != known_state:
            source.check()
        return source
    except OSError as error:
        if error.errno not in FILE_ERRNOS:
            raise machine_fault(error) from error
        raise UserError(f"source.path {config.path}: {error.strerror}") from error


def _open_files(config: SourceConfig) -> Files:
    location = parse_location(config.path, key="source.path")
    return DiskFiles(config, location) if isinstance(location, Path) else ObjectFiles(config, location)

"""Detection: a path whose kind nobody named -> labels, label_folders, tar or parquet."""

import os
from typing import Literal

from pipeline.sources.config import SourceConfig
from pipeline.sources.container_files import is_container
from pipeline.sources.files import Files
from pipeline.sources.listed_folder import LABEL_FILES, find_label_files
from pipeline.sources.parquet_files import PARQUET_SUFFIXES
from pipeline.sources.tar_archives import TAR_SUFFIXES
from pipeline.sources.tar_head import looks_like_tar, read_head
from schemas.errors import UserError

KnownKind = Literal["labels", "label_folders", "tar", "parquet"]
PARQUET_MAGIC = b"PAR1"
SUFFIXES: dict[KnownKind, tuple[bytes, ...]] = {
    "tar": tuple(map(os.fsencode, TAR_SUFFIXES)),
    "parquet": tuple(map(os.fsencode, PARQUET_SUFFIXES)),
}


def detect_kind(config: SourceConfig, files: Files) -> KnownKind:
    """Tell the kind of a file by its first bytes, of a folder by what it holds. Raises UserError, OSError."""
    if files.file_name is not None:
        return _detect_file(config.path, files, files.file_name)
    return _detect_folder(config.path, files)


def _detect_file(path: str, files: Files, name: bytes) -> KnownKind:
    head = read_head(files, name)
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    if looks_like_tar(head):
        return "tar"
    kind = _container_kind(name)
    if kind is None:
        raise UserError(f"source.path {path}: neither a tar archive nor a Parquet file nor a folder")
    return kind


def _detect_folder(path: str, files: Files) -> KnownKind:
    if find_label_files(files):
        return "labels"
    counts: dict[KnownKind | None, int] = {"tar": 0, "parquet": 0, None: 0}
    for name, is_folder in files.list_entries():
        if name.startswith(b"."):
            continue
        if is_folder:
            return "label_folders"
        counts[_container_kind(name)] += 1
    for kind, count in counts.items():
        if kind is not None and count and count == sum(counts.values()):
            return kind
    raise UserError(
        f"source.path {path}: found {counts['tar']} tar archives, {counts['parquet']} Parquet files and "
        f"{counts[None]} others; expected one of {', '.join(LABEL_FILES)}, or a folder for each label, "
        f"or only archives, or only Parquet files (source.kind can say which)"
    )


def _container_kind(name: bytes) -> KnownKind | None:
    return next((kind for kind, suffixes in SUFFIXES.items() if is_container(name, suffixes)), None)

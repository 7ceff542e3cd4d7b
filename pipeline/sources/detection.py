"""Detection: a path whose kind nobody named -> labels, label_folders, tar or parquet."""

import os
from typing import Literal

from pipeline.sources.container_files import is_container
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


def detect_kind(path: str, *, follow_links: bool) -> KnownKind:
    """Tell the kind of a file by its first bytes, of a folder by what it holds. Raises UserError, OSError."""
    return _detect_folder(path, follow_links=follow_links) if os.path.isdir(path) else _detect_file(path)


def _detect_file(path: str) -> KnownKind:
    head = read_head(path)
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    if looks_like_tar(head):
        return "tar"
    kind = _container_kind(os.path.basename(os.fsencode(path)))
    if kind is None:
        raise UserError(f"source.path {path}: neither a tar archive nor a Parquet file nor a folder")
    return kind


def _detect_folder(path: str, *, follow_links: bool) -> KnownKind:
    if find_label_files(path):
        return "labels"
    counts: dict[KnownKind | None, int] = {"tar": 0, "parquet": 0, None: 0}
    with os.scandir(os.fsencode(path)) as entries:
        for entry in entries:
            if entry.name.startswith(b"."):
                continue
            if entry.is_dir(follow_symlinks=follow_links):
                return "label_folders"
            counts[_container_kind(entry.name)] += 1
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

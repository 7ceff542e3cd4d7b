"""SourceConfig: where the samples lie and how to read them."""

import os
from typing import Any, Literal

from pydantic import Field

from schemas.config import Place, StrictConfig

SourceKind = Literal["auto", "labels", "label_folders", "tar", "parquet"]
DEFAULT_LABEL_COLUMN = "label"
CONTAINER_SUFFIXES = (".tar.gz", ".tar.zst", ".tgz", ".tar", ".parquet")


def derive_name(path: str) -> str:
    """Return the last component of a path without a container's suffix: `/data/cats.tar.gz` -> `cats`.

    Only known suffixes are cut: the folders `pack-1.0` and `pack-1.1` keep two names, and two sets of keys.
    """
    name = os.path.basename(os.path.abspath(path))
    for suffix in CONTAINER_SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _default_name(fields: dict[str, Any]) -> str:
    return derive_name(fields["path"])


class SourceConfig(StrictConfig):
    """One source. Its name is part of every key: a new name means new samples."""

    path: Place = Field(min_length=1)  # folder or file: a path, file:///PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX
    name: str = Field(
        default_factory=_default_name,
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        validate_default=True,
    )  # one word for the pile; by default taken from the path
    kind: SourceKind = "auto"
    label_column: str = Field(DEFAULT_LABEL_COLUMN, min_length=1)  # in labels.*, a tar's .json members, Parquet
    path_column: str = Field("path", min_length=1)  # in labels.*
    bytes_column: str = Field("media", min_length=1)  # in Parquet: binary, or a struct with a field `bytes`
    follow_links: bool = False  # read links that lead out of the source, enter linked folders
    max_file_bytes: int = Field(64 << 20, ge=1, le=(1 << 31) - 1)  # bytes; what is larger has no media
    max_label_chars: int = Field(1000, ge=1)  # characters; a longer text is no tag, its sample is quarantined
    max_archive_bytes: int = Field(1 << 38, ge=1)  # bytes that one compressed archive may unpack to
    max_archive_members: int = Field(10_000_000, ge=1)  # headers of one archive, folders and sidecars included
    max_ratio: float = Field(200.0, ge=1)  # unpacked over packed bytes of one archive, rows over bytes in Parquet

"""Listed folder: a folder with labels.jsonl, labels.csv or labels.parquet -> one sample per listed file."""

import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import make_sample
from pipeline.sources.extra import extra_json
from pipeline.sources.label_csv import read_csv_rows
from pipeline.sources.label_jsonl import read_jsonl_rows
from pipeline.sources.label_parquet import read_parquet_rows
from pipeline.sources.label_row import LabelRow
from pipeline.sources.positions import Mentions
from pipeline.sources.reading import FILE_ERRNOS, SourceFolder, machine_fault
from schemas.errors import UserError
from schemas.sample import Sample, sample_key

TEXT_READERS: dict[str, Callable[[BinaryIO, str, SourceConfig], Iterator[LabelRow]]] = {
    "labels.jsonl": read_jsonl_rows,
    "labels.csv": read_csv_rows,
}
LABEL_FILES = (*TEXT_READERS, "labels.parquet")


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """Only what is listed is a sample; a file listed twice is two samples, with ordinals 0 and 1."""

    config: SourceConfig
    label_file: str
    kind: str = "labels"

    @property
    def name(self) -> str:
        return self.config.name

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield a sample per row of the label file, in its order."""
        config = self.config
        folder = SourceFolder(
            os.fsencode(config.path), follow_links=config.follow_links, max_file_bytes=config.max_file_bytes
        )
        mentions = Mentions()
        for row in _read_rows(config, self.label_file):
            key = sample_key(config.name, row.position, mentions.count(row.position))
            if key in skip:
                continue
            yield make_sample(
                folder.read(row.position),
                row.position,
                source=config.name,
                key=key,
                label=row.label,
                extra=extra_json(row.extra),
            )


def find_label_files(folder: str) -> list[str]:
    """Return which of the three label files a folder holds."""
    return [name for name in LABEL_FILES if os.path.isfile(os.path.join(folder, name))]


def open_listed_folder(config: SourceConfig) -> ListedFolder:
    """Find the label file and read it through. Raises UserError for none, several or a broken one."""
    names = find_label_files(config.path)
    if len(names) != 1:
        found = " and ".join(names) or "none of them"
        raise UserError(f"source.path {config.path}: found {found}, expected one of {', '.join(LABEL_FILES)}")
    num_rows = sum(1 for _ in _read_rows(config, names[0]))  # a broken line is told before a file is read
    if num_rows == 0:
        raise UserError(f"source.path {config.path}: {names[0]} lists no file")
    return ListedFolder(config, names[0])


def _read_rows(config: SourceConfig, label_file: str) -> Iterator[LabelRow]:
    path = os.path.join(config.path, label_file)
    if label_file not in TEXT_READERS:
        yield from read_parquet_rows(os.fsencode(path), label_file, config)
        return
    try:
        with open(path, "rb") as file:
            yield from TEXT_READERS[label_file](file, label_file, config)
    except OSError as error:
        if error.errno not in FILE_ERRNOS:
            raise machine_fault(error) from error
        raise UserError(f"source.path {config.path}: {label_file}: {error.strerror}") from error

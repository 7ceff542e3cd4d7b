"""Listed folder: a folder with labels.jsonl, labels.csv or labels.parquet -> one sample per listed file."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import make_sample
from pipeline.sources.extra import extra_json
from pipeline.sources.files import Files, FoundFile
from pipeline.sources.label_csv import read_csv_rows
from pipeline.sources.label_jsonl import read_jsonl_rows
from pipeline.sources.label_parquet import read_parquet_rows
from pipeline.sources.label_row import LabelRow
from pipeline.sources.positions import Mentions
from pipeline.sources.reading import FILE_ERRNOS, machine_fault
from pipeline.sources.state import digest_state
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
    files: Files
    label_file: str
    kind: str = "labels"

    @property
    def name(self) -> str:
        return self.config.name

    def state(self) -> str:
        """The label file alone tells which samples there are."""
        name = self.label_file.encode()
        return digest_state(self.config, self.kind, [name], self.files.stamps((name,)))

    def check(self) -> None:
        """Read the label file through: a broken line is told before any file is read. Raises UserError."""
        if sum(1 for _ in self._rows()) == 0:
            raise UserError(f"source.path {self.config.path}: {self.label_file} lists no file")

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield a sample per row of the label file, in its order."""
        for file, (key, row), content in self.files.read(self._wanted(skip)):
            yield make_sample(
                content,
                file.position,
                source=self.config.name,
                key=key,
                label=row.label,
                extra=extra_json(row.extra),
            )

    def _wanted(self, skip: Container[str]) -> Iterator[tuple[FoundFile, tuple[str, LabelRow]]]:
        mentions = Mentions()
        for row in self._rows():
            key = sample_key(self.config.name, row.position, mentions.count(row.position))
            if key not in skip:
                yield FoundFile(row.position), (key, row)

    def _rows(self) -> Iterator[LabelRow]:
        if self.label_file not in TEXT_READERS:
            yield from read_parquet_rows(self.files, self.label_file, self.config)
            return
        try:
            with self.files.open_forward(self.label_file.encode()) as file:
                yield from TEXT_READERS[self.label_file](file, self.label_file, self.config)
        except OSError as error:
            if error.errno not in FILE_ERRNOS:
                raise machine_fault(error) from error
            raise UserError(f"source.path {self.config.path}: {self.label_file}: {error.strerror}") from error


def find_label_files(files: Files) -> list[str]:
    """Return which of the three label files a folder holds."""
    return [name for name in LABEL_FILES if files.has_file(name)]


def find_listed_folder(config: SourceConfig, files: Files) -> ListedFolder:
    """Find the label file. Raises UserError for none or several."""
    names = find_label_files(files)
    if len(names) != 1:
        found = " and ".join(names) or "none of them"
        raise UserError(f"source.path {config.path}: found {found}, expected one of {', '.join(LABEL_FILES)}")
    return ListedFolder(config, files, names[0])

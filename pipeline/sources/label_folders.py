"""Label folders: root/<label>/**/file -> one sample per file, the label being the first folder's name."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import make_sample
from pipeline.sources.files import Files, FoundFile
from pipeline.sources.positions import top_folder
from pipeline.sources.readable import readable_label
from schemas.sample import Sample, sample_key


@dataclass(frozen=True, slots=True)
class LabelFolders:
    """Every file is a sample, whatever its name; what is not a regular file is one without media."""

    config: SourceConfig
    files: Files
    kind: str = "label_folders"

    @property
    def name(self) -> str:
        return self.config.name

    def state(self) -> None:
        """Nothing but a walk tells whether a file was added somewhere below."""

    def check(self) -> None:
        """Nothing is written wrong here: every file is a sample."""

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield the samples sorted by the bytes of their path."""
        for file, key, content in self.files.read(self._wanted(skip)):
            yield make_sample(
                content,
                file.position,
                source=self.config.name,
                key=key,
                label=readable_label(top_folder(file.position)),
            )

    def _wanted(self, skip: Container[str]) -> Iterator[tuple[FoundFile, str]]:
        for file in self.files.walk():
            key = sample_key(self.config.name, file.position)
            if key not in skip:
                yield file, key

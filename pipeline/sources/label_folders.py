"""Label folders: root/<label>/**/file -> one sample per file, the label being the first folder's name."""

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass

from pipeline.sources.config import SourceConfig
from pipeline.sources.content import make_sample
from pipeline.sources.folder_walk import walk_files
from pipeline.sources.positions import top_folder
from pipeline.sources.readable import readable_label
from pipeline.sources.reading import SourceFolder
from schemas.sample import Sample, sample_key


@dataclass(frozen=True, slots=True)
class LabelFolders:
    """Every file is a sample, whatever its name; what is not a regular file is one without media."""

    config: SourceConfig
    kind: str = "label_folders"

    @property
    def name(self) -> str:
        return self.config.name

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield the samples sorted by the bytes of their path."""
        config = self.config
        root = os.fsencode(config.path)
        folder = SourceFolder(root, follow_links=config.follow_links, max_file_bytes=config.max_file_bytes)
        for position, error in walk_files(root, follow_links=config.follow_links):
            key = sample_key(config.name, position)
            if key in skip:
                continue
            yield make_sample(
                folder.read(position) if error is None else folder.blame(error),
                position,
                source=config.name,
                key=key,
                label=readable_label(top_folder(position)),
            )

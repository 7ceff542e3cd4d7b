"""Table: the formats there are, and the package that writing one needs."""

from dataclasses import dataclass

from pipeline.export.formats.gif_folder import write_gif_folder
from pipeline.export.formats.lance import write_lance
from pipeline.export.formats.mds import write_mds
from pipeline.export.formats.webdataset import write_webdataset
from pipeline.export.formats.writer import Writer


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is written; data_files: what Hugging Face opens of it; module, package: what must be installed."""

    write: Writer
    data_files: tuple[str, ...] = ()
    module: str | None = None
    package: str | None = None


FORMATS = {
    "webdataset": Format(write_webdataset, data_files=("*.tar",)),
    "lance": Format(write_lance, module="lance", package="pylance"),
    "mds": Format(write_mds),
    "gif-folder": Format(write_gif_folder, data_files=("metadata.jsonl", "**/*.gif")),
}

"""Text: frames -> tracks of burnt-in text and the area they cover."""

from collections.abc import Sequence
from typing import Any

from pipeline.models.protocols import TextReader
from pipeline.models.readers import ReaderConfig, identify_reader, open_reader
from pipeline.stages.stage import StageInput
from pipeline.text import TextConfig, find_text
from schemas.answers import TextAnswer


class TextStageConfig(TextConfig):
    """How text is tracked, and who reads it."""

    reader: ReaderConfig = ReaderConfig()

    @property
    def identified(self) -> dict[str, Any]:
        return {"reader": self.reader.identified}


def text_samples(inputs: Sequence[StageInput], *, config: TextStageConfig, model: TextReader) -> list[TextAnswer]:
    """Read the text of each sample."""
    return [find_text(each.original_clip(), config=config, reader=model) for each in inputs]


def open_text_reader(config: TextStageConfig) -> TextReader:
    """Open the configured reader."""
    return open_reader(config.reader)


def identify_text_reader(config: TextStageConfig) -> str:
    """Name the configured reader."""
    return identify_reader(config.reader)

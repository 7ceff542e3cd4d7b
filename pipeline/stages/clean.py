"""Clean: frames with burnt-in text -> frames without it, or the original where a check fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import model_validator

from pipeline.clean import CleanConfig, clean_clip
from pipeline.models.lama import LamaConfig, identify_lama, open_lama
from pipeline.models.opencv_inpaint import OpenCvInpaintConfig, open_opencv_inpaint
from pipeline.models.protocols import Inpainter, TextReader
from pipeline.models.readers import ReaderConfig, identify_reader, open_reader
from pipeline.stages.stage import StageInput
from schemas.answers import CleanAnswer, TextAnswer


class CleanStageConfig(CleanConfig):
    """How text is removed, and who invents what cannot be recovered."""

    inpainter: Literal["opencv", "lama"] = "opencv"
    opencv: OpenCvInpaintConfig = OpenCvInpaintConfig()
    lama: LamaConfig | None = None

    @model_validator(mode="after")
    def _is_set(self) -> Self:
        if self.inpainter == "lama" and self.lama is None:
            raise ValueError("inpainter 'lama' needs lama.weights, the path of big-lama.pt")
        return self


class CheckedCleanConfig(CleanStageConfig):
    """The same with the reader that checks the result: always the one of the text stage."""

    reader: ReaderConfig

    @property
    def identified(self) -> dict[str, Any]:
        of_lama = (
            {"lama": True} if self.inpainter == "opencv" else {"opencv": True, "lama": {"weights", "sha256", "device"}}
        )
        return {**of_lama, "reader": self.reader.identified}


@dataclass(frozen=True, slots=True)
class CleanModels:
    """What cleaning needs: somebody who checks that no text is left, and somebody who invents pixels."""

    reader: TextReader
    inpainter: Inpainter


def clean_samples(inputs: Sequence[StageInput], *, config: CheckedCleanConfig, model: CleanModels) -> list[CleanAnswer]:
    """Remove the text that the text stage found in each sample."""
    return [_clean(each, config, model) for each in inputs]


def _clean(each: StageInput, config: CheckedCleanConfig, model: CleanModels) -> CleanAnswer:
    text = each.of(TextAnswer)
    clip = each.original_clip()
    return clean_clip(clip, text, config=config, reader=model.reader, inpainter=model.inpainter)


def open_clean_models(config: CheckedCleanConfig) -> CleanModels:
    """Open reader and inpainter."""
    return CleanModels(open_reader(config.reader), _open_inpainter(config))


def identify_clean_models(config: CheckedCleanConfig) -> str:
    """Name both models with their revisions."""
    if config.inpainter == "lama":
        assert config.lama is not None
        return f"{identify_reader(config.reader)} {identify_lama(config.lama)}"
    return f"{identify_reader(config.reader)} {open_opencv_inpaint(config.opencv).identity}"


def _open_inpainter(config: CheckedCleanConfig) -> Inpainter:
    if config.inpainter == "lama":
        assert config.lama is not None
        return open_lama(config.lama)
    return open_opencv_inpaint(config.opencv)

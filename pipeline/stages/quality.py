"""Quality: frames -> numbers about the craft of a sample: loop, motion, sharpness, flashes, style."""

from collections.abc import Sequence

from pipeline.quality import measure_clip
from pipeline.stages.stage import StageInput
from schemas.answers import QualityAnswer
from schemas.config import StrictConfig


class QualityConfig(StrictConfig):
    """Nothing to set: what is measured has one definition, and `select` has the thresholds."""


def quality_samples(inputs: Sequence[StageInput], *, config: QualityConfig, model: None) -> list[QualityAnswer]:
    """Measure each sample as it was found."""
    return [measure_clip(each.original_clip()) for each in inputs]

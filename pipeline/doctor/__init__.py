"""Doctor: the models of a config -> is each here, does it run, how fast, in how much memory, and what to do if not."""

from pipeline.doctor.examine import MODEL_STAGES, examine, look_at, require_models
from pipeline.doctor.report import ModelReport

__all__ = ["MODEL_STAGES", "ModelReport", "examine", "look_at", "require_models"]

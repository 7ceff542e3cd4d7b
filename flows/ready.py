"""Ready: a config file and what replaces its settings -> a checked config whose models are here."""

from collections.abc import Sequence
from pathlib import Path

from flows.load import load_config
from pipeline.config import CurateConfig
from pipeline.doctor import MODEL_STAGES, require_models
from pipeline.root import DatasetRoot


def load_ready_config(path: Path, overrides: Sequence[str] = ()) -> CurateConfig:
    """Read a curation's config and look at the models it needs. Raises UserError before anything is written."""
    config = load_config(path, overrides)
    root = DatasetRoot(config.root_path)  # a stage that has answered may have nothing left to ask
    require_models(config, [stage for stage in MODEL_STAGES if not root.has_answers(stage)])
    return config

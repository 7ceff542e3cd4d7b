"""Fingerprint: everything that can change a stage's answers -> twelve hex digits."""

import hashlib
import json
from collections.abc import Mapping

from pipeline.stages.stage import Stage
from schemas.config import StrictConfig

FINGERPRINT_HEX_DIGITS = 12


def fingerprint_stage(stage: Stage, config: StrictConfig, read: Mapping[str, str]) -> str:
    """Return the fingerprint of a stage under a config, given those of the stages it reads."""
    identity = {
        "stage": stage.name,
        "version": stage.version,
        "config": config.model_dump(mode="json", exclude=config.identified),
        "model": stage.identify(config),
        "reads": {name: read[name] for name in stage.reads},
    }
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_HEX_DIGITS]

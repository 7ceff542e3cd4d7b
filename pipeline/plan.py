"""Plan: a config -> every stage with its own config and fingerprint, in the order in which data travels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.config import CurateConfig
from pipeline.fingerprint import fingerprint_stage
from pipeline.stages.stage import Asked, Stage
from pipeline.stages.table import STAGES
from schemas.config import StrictConfig


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage as one config has it."""

    stage: Stage
    config: StrictConfig
    fingerprint: str
    video_only_reads: frozenset[str]

    @property
    def batch_size(self) -> int:
        """How many samples the stage answers at once."""
        return int(getattr(self.config, "samples_at_once", 1))


Plans = Mapping[str, StagePlan]


@lru_cache(maxsize=8)
def plan_stages(config: CurateConfig) -> dict[str, StagePlan]:
    """Return the plan of every stage by name, in order."""
    plans: dict[str, StagePlan] = {}
    fingerprints: dict[str, str] = {}
    video_only = {stage.name for stage in STAGES if stage.asked == Asked.T2V}
    for stage in STAGES:
        own = config.stage_config(stage.name)
        fingerprints[stage.name] = fingerprint_stage(stage, own, fingerprints)
        only_video = frozenset(video_only & set(stage.reads)) if stage.asked != Asked.T2V else frozenset()
        plans[stage.name] = StagePlan(stage, own, fingerprints[stage.name], only_video)
    return plans


def recorded_plans(config: CurateConfig, fingerprints: Mapping[str, str]) -> Plans:
    """Return the plans as they were when a run recorded its fingerprints, whatever this version's would be.

    A stage that the run did not know yet has this version's.
    """
    plans = plan_stages(config)
    return {name: replace(plan, fingerprint=fingerprints.get(name, plan.fingerprint)) for name, plan in plans.items()}

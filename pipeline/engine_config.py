"""EngineConfig: who runs the tasks, and where. Nothing in it changes a result, so no fingerprint holds any of it."""

import os
from typing import Literal

from pydantic import Field, field_validator

from pipeline.answers import FlushConfig
from schemas.config import StrictConfig
from schemas.memory import Memory
from schemas.room import ReserveConfig

EngineName = Literal["processes", "threads", "dask", "ray"]
RAY_CLIENT = "ray://"
INSTEAD_OF_RAY_CLIENT = (
    "a run would lose its work after 30 s without network; run the driver inside the cluster with "
    "engine.ray.address = 'auto', for instance: ray job submit --address http://HEAD:8265 -- mobius curate CONFIG"
)


class DaskConfig(StrictConfig):
    """A Dask cluster that is there already, or a local one that lives as long as the run."""

    address: str | None = Field(None, min_length=1)  # of its scheduler, such as tcp://10.0.0.7:8786; none: local
    grows: bool = False  # workers are added on demand: wait for what none offers now


class RayConfig(StrictConfig):
    """A Ray cluster that is there already, or a local one that lives as long as the run."""

    address: str | None = Field(None, min_length=1)  # auto, or its head's host:port; none: local
    grows: bool = False  # nodes are added on demand: wait for what none offers now

    @field_validator("address")
    @classmethod
    def _holds_out(cls, address: str | None) -> str | None:
        if address is not None and address.startswith(RAY_CLIENT):
            raise ValueError(f"{address}: {INSTEAD_OF_RAY_CLIENT}")
        return address


class Resources(StrictConfig):
    """What one task of a stage takes while it runs."""

    cpus: float | None = Field(None, ge=0, le=1024)  # none: one
    gpus: float | None = Field(None, ge=0, le=1)  # 0.25: four tasks share one; none: one if its model runs on a GPU
    memory: Memory | None = None  # such as "4GiB"; none: not counted


class StageResources(StrictConfig):
    """What the tasks of each stage take."""

    probe: Resources = Resources()
    quality: Resources = Resources()
    text: Resources = Resources()
    clean: Resources = Resources()
    image_caption: Resources = Resources()
    video_caption: Resources = Resources()
    summary: Resources = Resources()
    translation: Resources = Resources()
    export: Resources = Resources()

    def of(self, stage: str) -> Resources:
        """Return those of one stage."""
        resources = getattr(self, stage)
        assert isinstance(resources, Resources)
        return resources


class EngineConfig(StrictConfig):
    """Who runs the tasks."""

    name: EngineName = "processes"
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)  # tasks at the same time
    gpus: int = Field(1, ge=1, le=1024)  # of this machine, or of an existing cluster
    gpu_limit: str | None = None  # Prefect's global concurrency limit that a task on a GPU takes a slot of
    timeout: float | None = Field(None, gt=0)  # seconds for one task; a model's server has a timeout of its own
    flush: FlushConfig = FlushConfig()
    reserve: ReserveConfig = ReserveConfig()
    resources: StageResources = StageResources()
    dask: DaskConfig = DaskConfig()
    ray: RayConfig = RayConfig()

    @property
    def places_gpus(self) -> bool:
        """True if the engine decides which task gets which GPU; elsewhere a task is told its number."""
        return self.name == "ray" or (self.name == "dask" and self.dask.address is not None)

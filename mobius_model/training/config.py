"""TrainConfig: one TOML file -> everything a training run depends on, checked before anything runs."""

from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from mobius_model.base_model.opening import BaseConfig
from mobius_model.data.config import DataConfig, Stage
from mobius_model.network.temporal import MAX_POSITIONS
from mobius_model.training.checkpoint import CheckpointConfig
from mobius_model.training.ema import EmaConfig
from mobius_model.training.loss import LossConfig
from mobius_model.training.optimizer import OptimizerConfig
from mobius_model.training.schedules import ScheduleConfig
from mobius_model.training.unets import NetworkConfig
from mobius_model.training.validation import ValidationConfig
from schemas.config import StrictConfig


class LoopConfig(StrictConfig):
    """How much is done, in what precision."""

    num_steps: int = Field(ge=1)  # optimizer steps
    batch_size: int = Field(2, ge=1)  # clips per process and micro-batch
    accumulation: int = Field(1, ge=1)  # micro-batches per process and step
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"  # of what is trained; fp16 needs a GPU
    spatial_precision: Literal["fp32", "bf16"] = "fp32"  # of the frozen branch h in the parallel mode
    recompute: Literal["none", "cheap", "attention", "all"] = "none"  # temporal layers, in the backward pass
    compile: bool = False  # torch.compile the network
    log_every_steps: int = Field(10, ge=1)  # numbers are fetched from the device so often


class LaunchConfig(StrictConfig):
    """Who computes; all that is random stays the same as long as processes x accumulation does, but for dropout."""

    num_processes: int = Field(1, ge=1, le=1024)  # on this machine, one per GPU; above 1 through torchrun
    device: Literal["auto", "cpu"] = "auto"


class TrainConfig(StrictConfig):
    """A training run: on what, where to, from what, how."""

    root: str = Field(min_length=1)  # dataset root that `mobius curate` has written
    output: str = Field(min_length=1)  # folder of checkpoints, log, samples, model; {stage} in it stands for the stage
    stage: Stage  # t2i trains a 2D UNet on first frames, t2v a temporal branch on clips
    init: str | None = None  # model to start from, or a table of one per stage; t2i without it starts from scratch
    init_temporal: str | None = None  # t2v from a 2D UNet: a UNet3DConditionModel whose temporal weights are taken
    seed: int = Field(0, ge=0)
    trackers: tuple[str, ...] = ("tensorboard",)
    base: BaseConfig
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    ema: EmaConfig = EmaConfig()
    loop: LoopConfig
    checkpoint: CheckpointConfig = CheckpointConfig()
    validation: ValidationConfig = ValidationConfig()
    launch: LaunchConfig = LaunchConfig()

    @model_validator(mode="before")
    @classmethod
    def _of_its_stage(cls, settings: Any) -> Any:
        """Choose what a file for both stages says of this one."""
        if not isinstance(settings, dict) or settings.get("stage") not in get_args(Stage):
            return settings
        stage, output, init = settings["stage"], settings.get("output"), settings.get("init")
        if isinstance(init, dict) and init.keys() <= set(get_args(Stage)):
            settings = {**settings, "init": init.get(stage)}
        if isinstance(output, str):
            settings = {**settings, "output": output.replace("{stage}", stage)}
        return settings

    @model_validator(mode="after")
    def _fits_its_stage(self) -> "TrainConfig":
        if self.stage == "t2v" and self.init is None:
            raise ValueError("init is missing: stage t2v starts from a trained 2D UNet, such as stage 1's OUTPUT/model")
        if self.stage == "t2v" and self.network.temporal_positions and self.data.num_frames > MAX_POSITIONS:
            raise ValueError(
                f"data.num_frames = {self.data.num_frames}: with network.temporal_positions at most {MAX_POSITIONS}"
            )
        if self.loop.spatial_precision != "fp32" and (self.stage != "t2v" or self.network.mode != "parallel"):
            raise ValueError("loop.spatial_precision is of the parallel mode of stage t2v, expected fp32")
        return self

    @property
    def root_path(self) -> Path:
        """The dataset root as a path."""
        return Path(self.root)

    @property
    def output_path(self) -> Path:
        """The output folder as a path."""
        return Path(self.output)

    @property
    def num_frames(self) -> int:
        """Frames of one clip in this stage."""
        return 1 if self.stage == "t2i" else self.data.num_frames

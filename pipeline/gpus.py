"""GPUs: a stage whose model runs on one -> how many tasks at a time, and which of the GPUs each takes.

The engines `threads`, `processes` and a local Dask cluster know nothing of GPUs: tasks are numbered, and each takes
the GPU of its number. Ray, and Dask where workers were started with resources, place tasks themselves.
"""

from pipeline.engine_config import EngineConfig
from pipeline.models.gpu_number import choose_gpu
from pipeline.models.readers import ReaderConfig
from pipeline.models.writer import WriterConfig
from pipeline.plan import StagePlan
from pipeline.stages.clean import CheckedCleanConfig
from pipeline.stages.text import TextStageConfig
from schemas.config import StrictConfig


def gpus_per_task(engine: EngineConfig, plan: StagePlan) -> float:
    """Return what the config says of a stage, or one GPU where its model may run on one."""
    share = engine.resources.of(plan.stage.name).gpus
    return float(may_use_gpu(plan.config)) if share is None else share


def may_use_gpu(config: StrictConfig) -> bool:
    """True if a stage of this config opens its model on a GPU where there is one."""
    if isinstance(config, CheckedCleanConfig):
        return _needs_torch(config) or _reads_on_gpu(config.reader)
    if isinstance(config, TextStageConfig):
        return _reads_on_gpu(config.reader)
    return _needs_torch(config)


def is_numbered(engine: EngineConfig, plan: StagePlan) -> bool:
    """True if each task of a stage is told the number of its GPU, one of this machine's.

    Text and cleaning are numbered only where the config gives them `gpus`: their models are small enough for all
    workers to share the first one.
    """
    if engine.places_gpus or not may_use_gpu(plan.config):
        return False
    share = engine.resources.of(plan.stage.name).gpus
    if share is not None:
        return share > 0
    return isinstance(plan.config, WriterConfig) and _has_gpu()


def num_gpu_tasks(engine: EngineConfig, plan: StagePlan) -> int:
    """How many tasks of a stage run at the same time on the GPUs of the config; 0 if it takes none."""
    share = gpus_per_task(engine, plan)
    return max(1, int(engine.gpus / share)) if share else 0


def use_gpu(number: int, config: StrictConfig) -> None:
    """Let this thread open the models of a stage on one GPU; numbers beyond the last begin again."""
    choose_gpu(number)
    if not _needs_torch(config):
        return  # PaddleOCR takes the number itself, and torch may not even be installed
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())


def _needs_torch(config: StrictConfig) -> bool:
    if isinstance(config, CheckedCleanConfig):
        return config.inpainter == "lama" and config.lama is not None and config.lama.device != "cpu"
    return isinstance(config, WriterConfig) and config.engine == "hf" and config.chosen.device != "cpu"


def _reads_on_gpu(reader: ReaderConfig) -> bool:
    return reader.engine == "paddleocr" and reader.paddleocr is not None and reader.paddleocr.device == "gpu"


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())

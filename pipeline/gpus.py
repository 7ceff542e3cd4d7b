"""GPUs: a stage whose model runs in process -> one task per GPU, as each holds one copy of the model."""

from pipeline.models.writer import WriterConfig
from pipeline.plan import StagePlan


def runs_on_gpus(plan: StagePlan) -> bool:
    """True if a stage opens its model on a GPU of this machine."""
    config = plan.config
    if not isinstance(config, WriterConfig) or config.engine != "hf" or config.chosen.device == "cpu":
        return False
    import torch

    return bool(torch.cuda.is_available())


def use_gpu(number: int) -> None:
    """Let this process open models on one GPU, counted from 0; numbers beyond the last begin again."""
    import torch

    torch.cuda.set_device(number % torch.cuda.device_count())

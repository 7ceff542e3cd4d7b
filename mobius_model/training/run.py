"""Run: a config -> everything a training run works with, opened and checked; nothing is written here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, gather_object
from diffusers import DDIMScheduler
from torch import Tensor, nn

from mobius_model.base_model.opening import Base, open_base
from mobius_model.data.clips import Clips, open_clips, require_one_batch
from mobius_model.data.latents import find_latents
from mobius_model.network.unet import MobiusUNet
from mobius_model.training.checkpoint import Trained
from mobius_model.training.config import TrainConfig
from mobius_model.training.ema import Ema
from mobius_model.training.encoding import Encoded
from mobius_model.training.guards import check_h_is_frozen
from mobius_model.training.identity import config_digest, settings_digest, settings_of
from mobius_model.training.loss import Predict, noise_schedule
from mobius_model.training.optimizer import open_optimizer
from mobius_model.training.seeds import seed_of
from mobius_model.training.trackers import check_trackers
from mobius_model.training.unets import build_unet, check_base, check_schedule, init_identity, lower_h
from schemas.errors import UserError

LONGEST_WAIT = timedelta(hours=6)  # of a rank for the others: rank 0 reads the whole set for its hashes


@dataclass(frozen=True)
class Run:
    """What a training run works with.

    unet is the network itself, net what is called to train it: the same, wrapped for ranks and precision.
    """

    config: TrainConfig
    accelerator: Accelerator
    base: Base
    clips: Clips
    unet: nn.Module
    net: nn.Module
    ema: Ema
    trained: Trained
    schedule: DDIMScheduler
    identity: Mapping[str, Any]

    @property
    def device(self) -> torch.device:
        """Where this rank computes."""
        return torch.device(self.accelerator.device)

    @property
    def micro_batches_per_step(self) -> int:
        """Over all ranks."""
        return self.config.loop.accumulation * int(self.accelerator.num_processes)

    def predict_with(self, encoded: Encoded, net: nn.Module | None = None) -> Predict:
        """Return how noise_pred comes from noisy latents B C F H W and timesteps B; a 2D UNet has no axis of frames."""
        called, text = net or self.net, encoded.encoder_hidden_states

        def predict_pictures(noisy: Tensor, timesteps: Tensor) -> Tensor:
            out: Tensor = called(noisy.squeeze(2), timesteps, text, return_dict=False)[0]
            return out.unsqueeze(2)

        def predict_clips(noisy: Tensor, timesteps: Tensor) -> Tensor:
            out: Tensor = called(noisy, timesteps, text, return_dict=False)[0]
            return out

        return predict_pictures if self.config.stage == "t2i" else predict_clips


def training_device(config: TrainConfig) -> torch.device:
    """Return what kind of device the config asks for on this machine."""
    has_gpu = torch.cuda.is_available() and config.launch.device == "auto"
    return torch.device("cuda" if has_gpu else "cpu")


def open_accelerator(config: TrainConfig) -> Accelerator:
    """Return accelerate's view of this process and its ranks. Raises UserError for what this machine cannot do."""
    has_gpu = training_device(config).type == "cuda"
    if has_gpu and config.launch.num_processes > torch.cuda.device_count():
        raise UserError(
            f"launch.num_processes = {config.launch.num_processes}: this machine has {torch.cuda.device_count()} GPUs, "
            "expected at most one process each"
        )
    if config.optimizer.name == "adamw_8bit" and not has_gpu:
        raise UserError("optimizer.name = 'adamw_8bit' needs a GPU, expected 'adamw' here")
    if config.loop.precision == "fp16" and not has_gpu:
        raise UserError("loop.precision = 'fp16' needs a GPU, expected bf16 or fp32 here")
    return Accelerator(
        mixed_precision="no" if config.loop.precision == "fp32" else config.loop.precision,
        cpu=not has_gpu,
        log_with=check_trackers(config.trackers) or None,
        project_dir=config.output,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=LONGEST_WAIT)],
    )


def open_run(config: TrainConfig, accelerator: Accelerator) -> Run:
    """Open data, base and network, and check that they fit; rank 0 reads the hashes of files. Raises UserError."""
    device = torch.device(accelerator.device)
    base = open_base(config.base)
    data = config.data if accelerator.is_main_process else config.data.model_copy(update={"verify": "size"})
    latents = find_latents(config.root_path, stage=config.stage, config=data, base_identity=base.identity)
    clips = open_clips(config.root_path, stage=config.stage, config=data, latents=latents)
    loop = config.loop
    require_one_batch(
        clips, batch_size=loop.batch_size, num_ranks=accelerator.num_processes, num_accumulated=loop.accumulation
    )
    schedule = noise_schedule(config.loss)
    if config.init is not None:
        check_schedule(config.init, schedule)
        check_base(config.init, base.identity)
    unet = prepared_unet(config, base)
    identity = {
        "dataset": clips.identity,
        "content": clips.content,
        "base": base.identity,
        "init": init_identity(config.init),
        "init_temporal": init_identity(config.init_temporal, key="init_temporal"),
        "unet": config_digest(unet),
        "micro-batches per step": loop.accumulation * accelerator.num_processes,
        **settings_of(config),
    }
    check_ranks_agree(identity)
    if latents is None:
        move_base(base, device)  # where latents are stored it is only needed for samples
    unet.to(device)
    weights = {name: weight for name, weight in unet.named_parameters() if weight.requires_grad}
    net, optimizer = accelerator.prepare(unet, open_optimizer(weights.values(), config.optimizer))
    if loop.compile:
        unet.compile()
    ema = Ema(weights, config.ema)
    trained = Trained(weights, ema.averages, optimizer)
    return Run(config, accelerator, base, clips, unet, net, ema, trained, schedule, identity)


def check_ranks_agree(identity: Mapping[str, Any]) -> None:
    """Raise UserError if the ranks found different things: somebody wrote while they started."""
    digests = gather_object([settings_digest(identity)])
    if len(set(digests)) > 1:
        raise UserError("the processes found different data or models while they started: run the same command again")


def new_unet(config: TrainConfig, base: Base) -> nn.Module:
    """Build the network as it is before the first step, in float32, on the CPU: the same in every process."""
    torch.manual_seed(seed_of(config.seed, "weights"))
    return build_unet(
        config.stage,
        config.init,
        init_temporal=config.init_temporal,
        network=config.network,
        base=base,
        size=config.data.size,
    )


def prepared_unet(config: TrainConfig, base: Base) -> nn.Module:
    """Build the network as it is trained."""
    unet = new_unet(config, base)
    if isinstance(unet, MobiusUNet):
        check_h_is_frozen(unet)
        unet.set_recompute(config.loop.recompute)
        if config.loop.spatial_precision == "bf16":
            lower_h(unet, torch.bfloat16)
    return unet


def move_base(base: Base, device: torch.device) -> None:
    """Move VAE and text encoder."""
    base.vae.to(device)
    base.text.model.to(device)

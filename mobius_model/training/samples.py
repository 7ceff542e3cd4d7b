"""Samples: the network of a run -> GIFs of fixed prompts, and the finished model folder, both by the one sampler."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from mobius_model.sampling.gif import write_gif
from mobius_model.sampling.sampler import DEFAULT_FPS, MobiusPipeline, pipeline_from_base
from mobius_model.training.identity import settings_digest
from mobius_model.training.run import Run, move_base, new_unet
from mobius_model.training.seeds import seed_of
from mobius_model.training.unets import STEP, init_identity
from schemas.errors import UserError
from schemas.folders import folder_written_aside
from schemas.storage import write_text


def draw_samples(run: Run, step: int) -> Iterator[Path]:
    """Draw this rank's share of the configured prompts, the same noise every time, into OUTPUT/samples."""
    config, validation = run.config, run.config.validation
    rank, num_ranks = run.accelerator.process_index, run.accelerator.num_processes
    stays = next(run.base.text.model.parameters()).device
    move_base(run.base, run.device)
    pipeline = _pipeline(run, run.unet)
    for number in range(rank, len(validation.prompts), num_ranks):
        drawn = pipeline(
            validation.prompts[number],
            num_inference_steps=validation.num_inference_steps,
            guidance_scale=validation.guidance_scale,
            seed=seed_of(validation.seed, number, "sample"),
        )
        path = config.output_path / "samples" / f"step-{step:08d}-{number}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_gif(path, drawn.frames[0], fps=pipeline.config.fps)
        yield path
    move_base(run.base, stays)


def write_model(run: Run, folder: Path, *, step: int) -> None:
    """Write the network with its average weights after `step` as a MobiusPipeline.

    Raises UserError if frozen weights must be read again from `init` and are not there any more.
    """
    with _averaged(run) as unet, folder_written_aside(folder) as aside:
        pipeline = _pipeline(run, unet)
        pipeline.save_pretrained(aside, safe_serialization=True)
        written = {"step": step, "base": run.base.identity, "run": settings_digest(run.identity)}
        write_text(aside / STEP, json.dumps(written) + "\n")


def is_model_of(run: Run, folder: Path, *, step: int) -> bool:
    """True if a folder holds the model of this very run, data and settings alike, after `step`."""
    try:
        written = json.loads((folder / STEP).read_bytes())
        return bool(written["step"] == step and written["run"] == settings_digest(run.identity))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pipeline(run: Run, unet: nn.Module) -> MobiusPipeline:
    config = run.config
    return pipeline_from_base(
        run.base,
        unet,
        scheduler_config=run.schedule.config,
        num_frames=config.num_frames,
        fps=config.data.fps or DEFAULT_FPS,  # without fps, training takes frames as they are stored
    )


@contextlib.contextmanager
def _averaged(run: Run) -> Iterator[nn.Module]:
    """Give the network with its average weights in float32; what training holds in fewer bits is read again."""
    if all(weight.dtype == torch.float32 for weight in run.unet.parameters()):
        with run.ema.applied():
            yield run.unet
        return
    init = run.config.init
    if init_identity(init) != run.identity["init"]:
        raise UserError(
            f"init = {init!r}: was changed after training began, expected the same weights to write the model; "
            "put them back and run the same command again"
        )
    unet = new_unet(run.config, run.base)
    weights = dict(unet.named_parameters())
    with torch.no_grad():
        for name, average in run.ema.averages.items():
            weights[name].copy_(average)
    yield unet

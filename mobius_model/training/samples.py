"""Samples: the network of a run -> GIFs of fixed prompts, and the finished model folder, both by the one sampler."""

from collections.abc import Iterator
from pathlib import Path

import torch

from mobius_model.folders import folder_written_aside
from mobius_model.sampling.gif import write_gif
from mobius_model.sampling.sampler import pipeline_from_base
from mobius_model.training.run import Run, move_base, new_unet
from mobius_model.training.seeds import seed_of

FPS_WITHOUT_TIME = 8.0  # of samples, where training ignores delays


def draw_samples(run: Run, step: int) -> Iterator[Path]:
    """Draw this rank's share of the configured prompts, the same noise every time, into OUTPUT/samples."""
    config, validation = run.config, run.config.validation
    rank, num_ranks = run.accelerator.process_index, run.accelerator.num_processes
    stays = next(run.base.text.model.parameters()).device
    move_base(run.base, run.device)
    pipeline = pipeline_from_base(run.base, run.unet, scheduler_config=run.schedule.config)
    for number in range(rank, len(validation.prompts), num_ranks):
        drawn = pipeline(
            validation.prompts[number],
            num_frames=config.num_frames,
            num_inference_steps=validation.num_inference_steps,
            guidance_scale=validation.guidance_scale,
            seed=seed_of(validation.seed, number, "sample"),
        )
        path = config.output_path / "samples" / f"step-{step:08d}-{number}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_gif(path, drawn.frames[0], fps=config.data.fps or FPS_WITHOUT_TIME)
        yield path
    move_base(run.base, stays)


def write_model(run: Run, folder: Path) -> None:
    """Write the network with its average weights as a MobiusPipeline; what is frozen comes from where it came from."""
    unet = new_unet(run.config, run.base)
    weights = dict(unet.named_parameters())
    with torch.no_grad():
        for name, average in run.ema.averages.items():
            weights[name].copy_(average)
    pipeline = pipeline_from_base(run.base, unet.eval(), scheduler_config=run.schedule.config)
    with folder_written_aside(folder) as aside:
        pipeline.save_pretrained(aside, safe_serialization=True)

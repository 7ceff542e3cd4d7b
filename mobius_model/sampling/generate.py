"""Generate: a model folder and prompts -> animated files."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from mobius_model.sampling.gif import check_target, write_animation
from mobius_model.sampling.model_folder import open_pipeline
from mobius_model.sampling.sampler import SAMPLERS
from schemas.errors import UserError


def generate(
    model_folder: Path,
    prompts: Sequence[str],
    *,
    out: Path,
    num_frames: int | None = None,
    fps: float | None = None,
    num_inference_steps: int = 50,
    guidance_scale: float = 9.0,
    negative_prompt: str = "",
    seed: int | None = 0,
    sampler: str = "ddim",
    dither: bool = False,
    loop: int = 0,
    height: int | None = None,
    width: int | None = None,
    batch_size: int = 1,
    device: str | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Make one animated file per prompt and return their paths, in order.

    model_folder: what MobiusPipeline.save_pretrained (so, the trainer) wrote. out: its suffix chooses the format,
    see write_animation; several prompts give out-1, out-2, ... num_frames, fps: what the model was trained on.
    height, width: pixels. seed: the same for each prompt, so that a prompt's file does not depend on the others;
    None draws anew. batch_size: prompts drawn together; memory grows with it. device: the first GPU, else the CPU.
    progress: called with steps done and steps of all batches.
    Raises UserError for a folder that is no such model, arguments that do not fit it, and files that exist already
    (replaced with `force`); nothing is computed before these are checked.
    """
    _check_arguments(prompts, batch_size=batch_size, fps=fps, sampler=sampler)
    paths = _targets(out, len(prompts), force=force)
    pipeline = open_pipeline(model_folder, device=device)
    starts = range(0, len(prompts), batch_size)
    for number, start in enumerate(starts):
        try:
            clips = pipeline(
                prompts[start : start + batch_size],
                negative_prompt=negative_prompt,
                num_frames=num_frames,
                height=height,
                width=width,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                seed=seed,
                sampler=sampler,
                progress=_counted(progress, number, len(starts)),
            ).frames
            for path, frames in zip(paths[start:], clips, strict=False):
                write_animation(path, frames, fps=fps or pipeline.config.fps, dither=dither, loop=loop)
        except ValueError as error:  # arguments that do not fit this model, or a format
            raise UserError(f"{model_folder}: {error}") from error
    return paths


def _check_arguments(prompts: Sequence[str], *, batch_size: int, fps: float | None, sampler: str) -> None:
    if not prompts:
        raise UserError("prompts: none given, expected at least one")
    if batch_size < 1:
        raise UserError(f"batch_size = {batch_size}: expected 1 or more")
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise UserError(f"fps = {fps}: expected more than 0")
    if sampler not in SAMPLERS:
        raise UserError(f"sampler = {sampler!r}: expected one of {', '.join(SAMPLERS)}")


def _targets(out: Path, num: int, *, force: bool) -> list[Path]:
    """Name one file per prompt; raise UserError for one that cannot be written or would be overwritten."""
    paths = [out] if num == 1 else [out.with_name(f"{out.stem}-{number + 1}{out.suffix}") for number in range(num)]
    for path in paths:
        if path.exists() and not force:
            raise UserError(f"{path}: exists already, expected a new name, or --force to replace it")
        check_target(path)
    return paths


def _counted(progress: Callable[[int, int], None] | None, batch: int, num: int) -> Callable[[int, int], None] | None:
    """Count the steps of one batch as part of all."""
    if progress is None:
        return None
    return lambda done, steps: progress(batch * steps + done, num * steps)

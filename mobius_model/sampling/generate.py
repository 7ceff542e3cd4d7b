"""Generate: a model folder and prompts -> animated files."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel, UNet3DConditionModel
from safetensors import SafetensorError
from torch import nn

from mobius_model.base_model.model_files import load_whole, quietly, read_json, require_file, require_safetensors
from mobius_model.base_model.opening import VAES, open_vae
from mobius_model.base_model.text import CHINESE_CLIP_TOKENS, open_text_encoder
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.gif import check_target, write_animation
from mobius_model.sampling.sampler import SAMPLERS, MobiusPipeline
from schemas.errors import UserError

DEFAULT_FRAMES = 8  # of a model that makes clips
UNETS = {each.__name__: each for each in (MobiusUNet, UNet2DConditionModel, UNet3DConditionModel)}
PARTS = {  # of a model, and the classes each may have
    "vae": tuple(VAES),
    "text_encoder": ("ChineseCLIPTextModel", "CLIPTextModel"),
    "tokenizer": ("BertTokenizer", "CLIPTokenizer"),
    "unet": tuple(UNETS),
    "scheduler": tuple(each.__name__ for each in SAMPLERS.values()),
}
MODEL_PARTS = ("vae", "text_encoder", "unet")  # those with weights


def generate(
    model_folder: Path,
    prompts: Sequence[str],
    *,
    out: Path,
    num_frames: int | None = None,
    fps: float = 8.0,
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
    see write_animation; several prompts give out-1, out-2, ... num_frames: 8, or 1 for a model that draws pictures.
    height, width: pixels. seed: the same for each prompt, so that a prompt's file does not depend on the others;
    None draws anew. batch_size: prompts drawn together; memory grows with it. device: the first GPU, else the CPU.
    progress: called with steps done and steps of all batches.
    Raises UserError for a folder that is no such model, arguments that do not fit it, and files that exist already
    (replaced with `force`); nothing is computed before these are checked.
    """
    _check_arguments(prompts, batch_size=batch_size, fps=fps, sampler=sampler)
    paths = _targets(out, len(prompts), force=force)
    pipeline = open_pipeline(model_folder, device=device)
    if num_frames is None:
        num_frames = 1 if isinstance(pipeline.unet, UNet2DConditionModel) else DEFAULT_FRAMES
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
                write_animation(path, frames, fps=fps, dither=dither, loop=loop)
        except ValueError as error:  # arguments that do not fit this model, or a format
            raise UserError(f"{model_folder}: {error}") from error
    return paths


def open_pipeline(model_folder: Path, *, device: str | None = None) -> MobiusPipeline:
    """Open a model folder, every weight of it, in float32: safetensors only, no remote code, nothing downloaded.

    The parts are opened one by one and by classes of ours: diffusers would import whatever model_index.json names, and
    draw weights that are missing at random. device: the first GPU if there is one, else the CPU.
    Raises UserError, one sentence, for anything else.
    """
    max_tokens = _check_model(model_folder)
    where = _device(device)
    try:
        with quietly():
            text = open_text_encoder(
                model_folder / "text_encoder",
                model_folder / "tokenizer",
                max_tokens=max_tokens,
                device="cpu",
                dtype=torch.float32,
            )
            pipeline = MobiusPipeline(
                vae=nn.Module.float(open_vae(model_folder / "vae")),
                text_encoder=text.model,
                tokenizer=text.tokenizer,
                unet=nn.Module.float(_open_unet(model_folder / "unet")),
                scheduler=DDIMScheduler.from_config(read_json(model_folder / "scheduler" / "scheduler_config.json")),
                max_tokens=max_tokens,
            )
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"{model_folder}: cannot be opened as a model ({reason})") from error
    pipeline.to(where)
    return pipeline


def _check_arguments(prompts: Sequence[str], *, batch_size: int, fps: float, sampler: str) -> None:
    if not prompts:
        raise UserError("prompts: none given, expected at least one")
    if batch_size < 1:
        raise UserError(f"batch_size = {batch_size}: expected 1 or more")
    if not (math.isfinite(fps) and fps > 0):
        raise UserError(f"fps = {fps}: expected more than 0")
    if sampler not in SAMPLERS:
        raise UserError(f"sampler = {sampler!r}: expected one of {', '.join(SAMPLERS)}")


def _open_unet(folder: Path) -> nn.Module:
    path = require_file(folder / "config.json", "the config of the UNet")
    name = read_json(path).get("_class_name")
    if name not in UNETS:
        raise UserError(f"{path}: _class_name {name!r}, expected one of {', '.join(UNETS)}")
    unet: nn.Module = load_whole(UNETS[name], folder)
    return unet


def _check_model(folder: Path) -> int:
    """Return how many tokens of a prompt the model in a folder reads; raise UserError where it cannot be one."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder, expected a model that `mobius train` wrote")
    index = folder / "model_index.json"
    if not index.is_file():
        raise UserError(f"{folder}: no model_index.json, expected a model that `mobius train` wrote")
    found = read_json(index)
    name, max_tokens = found.get("_class_name"), found.get("max_tokens", CHINESE_CLIP_TOKENS)
    if name != MobiusPipeline.__name__:
        raise UserError(f"{index}: _class_name {name!r}, expected {MobiusPipeline.__name__!r}")
    if type(max_tokens) is not int or max_tokens < 1:
        raise UserError(f"{index}: max_tokens {max_tokens!r}, expected a number of tokens")
    for part, classes in PARTS.items():
        named = found.get(part)  # [library, class]
        if not isinstance(named, list) or len(named) != 2 or named[1] not in classes:
            raise UserError(f"{index}: {part} is {named!r}, expected one of {', '.join(classes)}")
        if not (folder / part).is_dir():
            raise UserError(f"{folder / part} is missing: expected the {part} of the model")
    for part in MODEL_PARTS:
        require_safetensors(folder / part)
    return max_tokens


def _targets(out: Path, num: int, *, force: bool) -> list[Path]:
    """Name one file per prompt; raise UserError for one that cannot be written or would be overwritten."""
    paths = [out] if num == 1 else [out.with_name(f"{out.stem}-{number + 1}{out.suffix}") for number in range(num)]
    for path in paths:
        if path.exists() and not force:
            raise UserError(f"{path}: exists already, expected a new name, or --force to replace it")
        check_target(path)
    return paths


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device = {name!r}: not on this machine") from error
    return device


def _counted(progress: Callable[[int, int], None] | None, batch: int, num: int) -> Callable[[int, int], None] | None:
    """Count the steps of one batch as part of all."""
    if progress is None:
        return None
    return lambda done, steps: progress(batch * steps + done, num * steps)

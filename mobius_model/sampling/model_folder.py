"""Model folder: what `mobius train` wrote -> a MobiusPipeline, nothing in it taken on trust."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel, UNet3DConditionModel
from pydantic import Field, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError
from torch import nn

from mobius_model.base_model.model_files import load_whole, quietly
from mobius_model.base_model.opening import VAES, open_vae
from mobius_model.base_model.text import CHINESE_CLIP_TOKENS, open_text_encoder
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.sampler import DEFAULT_FPS, DEFAULT_FRAMES, SAMPLERS, MobiusPipeline
from schemas.errors import UserError
from schemas.model_files import read_json, require_file, require_safetensors

UNETS = {each.__name__: each for each in (MobiusUNet, UNet2DConditionModel, UNet3DConditionModel)}
PARTS = {  # of a model, and the classes each may have
    "vae": tuple(VAES),
    "text_encoder": ("ChineseCLIPTextModel", "CLIPTextModel"),
    "tokenizer": ("BertTokenizer", "CLIPTokenizer"),
    "unet": tuple(UNETS),
    "scheduler": tuple(each.__name__ for each in SAMPLERS.values()),
}
MODEL_PARTS = ("vae", "text_encoder", "unet")  # those with weights


@dataclass(frozen=True)
class Remembered:
    """What model_index.json says of a model beside its parts: how long prompts and clips were in training."""

    max_tokens: Annotated[int, Strict(), Field(ge=1)] = CHINESE_CLIP_TOKENS
    num_frames: Annotated[int, Strict(), Field(ge=1)] = DEFAULT_FRAMES
    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] = DEFAULT_FPS


REMEMBERED = tuple(each.name for each in fields(Remembered))


def open_pipeline(model_folder: Path, *, device: str | None = None) -> MobiusPipeline:
    """Open a model folder, every weight of it, in float32: safetensors only, no remote code, nothing downloaded.

    The parts are opened one by one and by classes of ours: diffusers would import whatever model_index.json names, and
    draw weights that are missing at random. device: the first GPU if there is one, else the CPU.
    Raises UserError, one sentence, for anything else.
    """
    remembered = _check_model(model_folder)
    where = _device(device)
    try:
        with quietly():
            text = open_text_encoder(
                model_folder / "text_encoder",
                model_folder / "tokenizer",
                max_tokens=remembered.max_tokens,
                device="cpu",
                dtype=torch.float32,
            )
            pipeline = MobiusPipeline(
                vae=nn.Module.float(open_vae(model_folder / "vae")),
                text_encoder=text.model,
                tokenizer=text.tokenizer,
                unet=nn.Module.float(_open_unet(model_folder / "unet")),
                scheduler=DDIMScheduler.from_config(read_json(model_folder / "scheduler" / "scheduler_config.json")),
                **asdict(remembered),
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"{model_folder}: cannot be opened as a model ({reason})") from error
    pipeline.to(where)
    return pipeline


def _open_unet(folder: Path) -> nn.Module:
    path = require_file(folder / "config.json", "the config of the UNet")
    name = read_json(path).get("_class_name")
    if name not in UNETS:
        raise UserError(f"{path}: _class_name {name!r}, expected one of {', '.join(UNETS)}")
    unet: nn.Module = load_whole(UNETS[name], folder)
    return unet


def _check_model(folder: Path) -> Remembered:
    """Return what the model in a folder remembers; raise UserError where it cannot be one."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder, expected a model that `mobius train` wrote")
    index = folder / "model_index.json"
    if not index.is_file():
        raise UserError(f"{folder}: no model_index.json, expected a model that `mobius train` wrote")
    found = read_json(index)
    name = found.get("_class_name")
    if name != MobiusPipeline.__name__:
        raise UserError(f"{index}: _class_name {name!r}, expected {MobiusPipeline.__name__!r}")
    for part, classes in PARTS.items():
        named = found.get(part)  # [library, class]
        if not isinstance(named, list) or len(named) != 2 or named[1] not in classes:
            raise UserError(f"{index}: {part} is {named!r}, expected one of {', '.join(classes)}")
        if not (folder / part).is_dir():
            raise UserError(f"{folder / part} is missing: expected the {part} of the model")
    for part in MODEL_PARTS:
        require_safetensors(folder / part)
    try:
        return TypeAdapter(Remembered).validate_python({each: found[each] for each in REMEMBERED if each in found})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(f"{index}: {wrong['loc'][0]} {wrong['input']!r}, {wrong['msg'].lower()}") from error


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device = {name!r}: not on this machine") from error
    return device

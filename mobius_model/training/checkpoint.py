"""Checkpoint: weights, optimizer and average after a step -> a folder that the same command goes on from, and back.

    OUTPUT/checkpoints/step-00001000/weights.safetensors    what is trained, nothing of what is frozen
                                     average.safetensors    its moving average
                                     optimizer.safetensors  the optimizer's state, WEIGHT/KEY
                                     state.json             step, what was trained on what, versions

Random numbers and the order of the data depend on seed and step alone, so neither has a state here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from schemas.config import StrictConfig
from schemas.errors import UserError
from schemas.folders import folder_written_aside, remove_folder, remove_unfinished_folders
from schemas.storage import write_text

NAME = re.compile(r"step-(\d{8,})")
SEPARATOR = "/"


class CheckpointConfig(StrictConfig):
    """How often, and how many stay."""

    every_steps: int = Field(1000, ge=1)
    keep: int = Field(2, ge=1)  # the newest ones
    write_model: bool = False  # rewrite OUTPUT/model at every checkpoint, not only at the end


@dataclass(frozen=True, slots=True)
class State:
    """What a checkpoint says of itself; `step` counts finished steps, `identity` is what it was trained on."""

    step: int
    identity: dict[str, Any]
    versions: dict[str, str]
    grad_scaler: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What a checkpoint holds the values of."""

    weights: Mapping[str, nn.Parameter]
    averages: Mapping[str, Tensor]
    optimizer: torch.optim.Optimizer


def finished_checkpoints(output: Path) -> list[Path]:
    """Return the finished checkpoints of an output folder, the newest last."""
    found = (path for path in (output / "checkpoints").glob("step-*") if NAME.fullmatch(path.name))
    return sorted(found, key=step_of)


def newest_checkpoint(output: Path) -> Path | None:
    """Return the newest finished checkpoint of an output folder, or None."""
    return next(reversed(finished_checkpoints(output)), None)


def step_of(checkpoint: Path) -> int:
    """Return how many steps were done, as the name of a checkpoint says."""
    match = NAME.fullmatch(checkpoint.name)
    assert match is not None
    return int(match[1])


def read_state(checkpoint: Path) -> State:
    """Return what a checkpoint says of itself. Raises UserError if it cannot be read."""
    try:
        return State(**json.loads((checkpoint / "state.json").read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{checkpoint}: damaged, expected a readable state.json; remove this folder") from error


def write_checkpoint(output: Path, state: State, trained: Trained, config: CheckpointConfig) -> Path:
    """Write a checkpoint and remove the oldest beyond the number to keep. Raises MachineFault for a full disk."""
    path = output / "checkpoints" / f"step-{state.step:08d}"
    with folder_written_aside(path) as aside:
        save_file(_on_cpu(trained.weights), aside / "weights.safetensors")
        save_file(_on_cpu(trained.averages), aside / "average.safetensors")
        save_file(_flat(trained.optimizer, list(trained.weights)), aside / "optimizer.safetensors")
        write_text(aside / "state.json", json.dumps(asdict(state), indent=1, ensure_ascii=False) + "\n")
    remove_unfinished_folders(path.parent)
    for old in finished_checkpoints(output)[: -config.keep]:
        remove_folder(old)
    return path


def read_checkpoint(checkpoint: Path, trained: Trained) -> None:
    """Put the values of a checkpoint into weights, average and optimizer. Raises UserError if they do not fit."""
    weights, averages = _load(checkpoint / "weights.safetensors"), _load(checkpoint / "average.safetensors")
    for name, weight in trained.weights.items():
        found = weights[name].shape if name in weights else None
        if found != weight.shape or name not in averages:
            raise UserError(f"{checkpoint}: {name} is {_size(found)}, expected {_size(weight.shape)} as in the network")
    with torch.no_grad():
        for name, weight in trained.weights.items():
            weight.copy_(weights[name])
            trained.averages[name].copy_(averages[name])
    _restore(trained.optimizer, list(trained.weights), _load(checkpoint / "optimizer.safetensors"))


def _size(shape: torch.Size | None) -> str:
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _flat(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """Name every value of the optimizer's state by its weight; plain numbers become tensors.

    The live state is read: what `state_dict` makes of it is each optimizer's own affair, and nested in bitsandbytes'.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    values = {
        f"{name}{SEPARATOR}{key}": torch.as_tensor(value)
        for name, weight in zip(names, weights, strict=True)
        for key, value in optimizer.state[weight].items()
    }
    return _on_cpu(values)


def _restore(optimizer: torch.optim.Optimizer, names: list[str], values: Mapping[str, Tensor]) -> None:
    indices = {name: index for index, name in enumerate(names)}
    state: dict[int, dict[str, Tensor | int]] = {}
    for name, value in values.items():
        weight, _, key = name.rpartition(SEPARATOR)
        was_number = value.dim() == 0 and value.dtype == torch.int64  # no optimizer keeps a tensor of this kind
        state.setdefault(indices[weight], {})[key] = int(value) if was_number else value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _load(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: damaged ({error}); remove {path.parent} to go on from the one before") from error
    return tensors

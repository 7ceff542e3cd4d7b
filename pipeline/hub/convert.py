"""Convert: pickled weights -> safetensors in a folder of their own; no pickle is read that holds more than tensors."""

import pickle
import shutil
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from schemas.errors import UserError
from schemas.model_files import hushed, read_json


def convert_pickled(folder: Path, target: Path, weights: Sequence[str]) -> None:
    """Write the model in `folder` to the new folder `target`: weights as safetensors, all other files as they are.

    weights: the names of the pickled files. Raises UserError where they hold more than tensors, are not those of the
    class that config.json names, or where that class is not one of transformers.
    """
    require_converter()
    import transformers

    aside = target.with_name(f".{target.name}.converting")
    shutil.rmtree(aside, ignore_errors=True)
    with hushed(transformers.utils.logging):
        model = _open(folder, _read_tensors([folder / name for name in weights]))
        model.generation_config = transformers.GenerationConfig()  # the published one is copied
        model.save_pretrained(aside)
    for path in aside.iterdir():
        if ".safetensors" not in path.name:
            path.unlink()
    for path in folder.iterdir():
        if path.is_file() and path.name not in weights:
            shutil.copyfile(path, aside / path.name)
    aside.rename(target)


def require_converter() -> None:
    """Raise UserError where the packages are missing that convert."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise UserError("to convert pickled weights torch and transformers are needed: pip install 'mobius[hf]'")


def _read_tensors(paths: Sequence[Path]) -> dict[str, Any]:
    import torch

    tensors: dict[str, Any] = {}
    for path in paths:
        try:
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise UserError(f"{path}: holds more than tensors, or is broken; it was not read") from error
        if not isinstance(found, dict) or not all(isinstance(each, torch.Tensor) for each in found.values()):
            raise UserError(f"{path}: expected tensors by name, found a {type(found).__name__} of other things")
        tensors |= found
    return tensors


def _open(folder: Path, tensors: dict[str, Any]) -> Any:
    import transformers

    names = read_json(folder / "config.json").get("architectures") or [""]
    kind: Any = getattr(transformers, str(names[0]), None)
    is_model = isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)
    if not is_model:
        raise UserError(f"{folder / 'config.json'}: architectures names {names[0]!r}, expected a model of transformers")
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    dtype = next((each.dtype for each in tensors.values() if each.is_floating_point()), None)
    try:
        model, report = kind.from_pretrained(
            None, config=config, state_dict=tensors, dtype=dtype, ignore_mismatched_sizes=True, output_loading_info=True
        )
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise UserError(f"{folder}: its weights are not those of {kind.__name__}: {error}") from error
    lacking = {*report["missing_keys"], *(found[0] for found in report["mismatched_keys"])}
    if lacking:
        raise UserError(f"{folder}: weight {min(lacking)} is missing or of another shape, expected all of {names[0]}")
    return model

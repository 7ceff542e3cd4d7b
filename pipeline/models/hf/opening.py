"""Opening: a folder -> model and tokenizer of transformers, with every weight, and nothing in it taken on trust."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError

from pipeline.models.hf.config import HfConfig
from schemas.errors import MachineFault, UserError
from schemas.model_files import hushed, require_file, require_safetensors
from schemas.storage import MACHINE_ERRNOS

LOCAL = {"local_files_only": True, "trust_remote_code": False}
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


def quietly() -> contextlib.AbstractContextManager[None]:
    """Load without the bars and reports of transformers."""
    return hushed(transformers.utils.logging)


def open_weights(kind: Any, folder: Path, config: HfConfig) -> Any:
    """Open a model by one of transformers' Auto classes, frozen, in eval mode, on its device.

    Raises UserError for files that are missing or pickled, a class that is unknown or made for something else, and
    for weights that lack; MachineFault where it does not fit into memory.
    """
    require_safetensors(folder)
    model_config = _open_config(kind, folder)
    device = _device(config)
    with quietly(), told(folder, kind.__name__):
        model, report = kind.from_pretrained(
            folder,
            config=model_config,
            dtype=_dtype(config, device),
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # told below, in our words
            output_loading_info=True,
            **LOCAL,
        )
        lacking = {*report["missing_keys"], *(found[0] for found in report["mismatched_keys"])}
        if not lacking:
            return model.eval().requires_grad_(False).to(device)
    raise UserError(
        f"{folder}: weight {min(lacking)} is missing or of another shape, expected all of {type(model).__name__}"
    )


def open_tokenizer(folder: Path, *, padding_side: str) -> Any:
    """Open a tokenizer that can pad; raises UserError where files or packages are missing."""
    with quietly(), told(folder, "a tokenizer"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side=padding_side, **LOCAL)
        if tokenizer.pad_token is None:  # Llama 2 has none; what is padded is masked
            tokenizer.pad_token = tokenizer.unk_token or tokenizer.eos_token
    return tokenizer


def _open_config(kind: Any, folder: Path) -> Any:
    require_file(folder / "config.json", "the config of a model")
    with quietly(), told(folder, "a model"):
        found = transformers.AutoConfig.from_pretrained(folder, **LOCAL)
    if type(found) not in kind._model_mapping:
        raise UserError(f"{folder / 'config.json'}: model_type {found.model_type!r} is none of {kind.__name__}")
    return found


@contextlib.contextmanager
def told(folder: Path, expected: str) -> Iterator[None]:
    """Tell in one sentence why a library could not open a folder: its own errors name no remedy."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise MachineFault(f"{folder}: does not fit into memory ({first_line(error)})") from error
    except ImportError as error:
        raise UserError(
            f"{folder}: {first_line(error)}; a model that has only tokenizer.model or *.spm needs the packages "
            "sentencepiece and protobuf"
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{folder}: {error.strerror}") from error
        raise UserError(f"{folder}: cannot be opened as {expected} ({first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error that says something, or else its kind."""
    return next((line.strip() for line in str(error).split("\n") if line.strip()), type(error).__name__)


def _device(config: HfConfig) -> torch.device:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device = 'cuda': this machine has no GPU that torch can use; expected 'cpu' or 'auto'")
    return torch.device("cuda" if config.device != "cpu" and torch.cuda.is_available() else "cpu")


def _dtype(config: HfConfig, device: torch.device) -> torch.dtype:
    if config.dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return DTYPES[config.dtype]

"""Loading by diffusers: a folder -> a model with every weight it has, or an error that says which is missing."""

import contextlib
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import transformers.utils.logging

from schemas.errors import UserError
from schemas.model_files import hushed


def load_whole(kind: Any, folder: Path) -> Any:
    """Load a diffusers model with every weight it has: diffusers would draw what is missing at random, and only warn.

    Raises UserError, naming one weight, where any is missing, and for files that do not fit together.
    """
    try:
        model, report = kind.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"{folder}: cannot be opened as {kind.__name__} ({reason})") from error
    if report["missing_keys"]:
        raise UserError(f"{folder}: weight {min(report['missing_keys'])} is missing, expected all of {kind.__name__}")
    return model


def quietly() -> contextlib.AbstractContextManager[None]:
    """Load or save models without the bars and reports of diffusers and transformers."""
    return hushed(diffusers.utils.logging, transformers.utils.logging)

"""Output: a folder -> one that this run alone may write to, with room for what it will write.

OUTPUT/train.json     the config        OUTPUT/log.jsonl  numbers of every step
      checkpoints/    the newest few    samples/          GIFs drawn on the way
      model/          the result, as diffusers lays it out
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mobius_model.training.checkpoint import State
from schemas.errors import UserError
from schemas.folders import remove_unfinished_folders
from schemas.lock import locked

LOCK = "train.lock"  # in every folder that a training run has written to
WAYS_BACK = {"content": "data.latents = 'never' goes on with pixels"}
WEIGHTS_PER_CHECKPOINT = 4  # a weight, its average, and two moments of the optimizer


@contextmanager
def sole_training(output: Path) -> Iterator[None]:
    """Hold the lock of an output folder. Raises UserError if another run has it; see also `check_output`."""
    with locked(output / LOCK, busy=f"{output}: another run is training into this folder, wait for it or stop it"):
        for parent in (output, output / "checkpoints"):
            remove_unfinished_folders(parent)
        yield


def check_output(output: Path) -> None:
    """Raise UserError for a folder that holds what no training run wrote."""
    if output.exists() and not output.is_dir():
        raise UserError(f"output = {str(output)!r}: is a file, expected a folder or a new name")
    if output.is_dir() and any(output.iterdir()) and not (output / LOCK).exists():
        raise UserError(
            f"output = {str(output)!r}: holds files that no training wrote, expected an empty or new folder"
        )


def check_space(output: Path, *, num_checkpoints: int, num_trained: int, model_bytes: int) -> None:
    """Raise UserError unless there is room for so many checkpoints more, and for the model, beside what is there."""
    needed = 4 * WEIGHTS_PER_CHECKPOINT * num_trained * num_checkpoints + model_bytes
    existing = next(folder for folder in (output, *output.resolve().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise UserError(
            f"output = {str(output)!r}: {free / 1e6:,.0f} MB free, expected {needed / 1e6:,.0f} MB "
            f"for {num_checkpoints} checkpoints and the model; choose another disk or a smaller checkpoint.keep"
        )


def check_identity(checkpoint: Path, state: State, identity: Mapping[str, Any]) -> None:
    """Raise UserError if a checkpoint was trained on something else than this run would train on."""
    for name in sorted({*state.identity, *identity}):
        found, expected = state.identity.get(name), identity.get(name)
        if found != expected:
            what = "is of another dataset" if name == "dataset" else "was made with other settings"
            raise UserError(
                f"{checkpoint}: this checkpoint {what}: {name} = {_brief(found)}, this run has {_brief(expected)}; "
                f"{WAYS_BACK.get(name, 'go back to the old settings')}, or choose another output"
            )


def _brief(value: Any) -> str:
    return f"{value[:12]}…" if isinstance(value, str) and len(value) > 40 else repr(value)

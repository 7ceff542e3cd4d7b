"""Model files: the name of a model -> its folder on this machine, and what can be said of it without loading it."""

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import UserError
from schemas.storage import file_sha256

WEIGHTS = re.compile(r"(diffusion_pytorch_)?model(-\d{5}-of-\d{5})?\.safetensors")
PICKLED = (".bin", ".pt", ".pth", ".ckpt")
HUB_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?P<inside>(/[\w.-]+)*)(@(?P<revision>[\w./-]+))?")
BLOB_NAME = re.compile(r"[0-9a-f]{64}")  # the hub cache names large files by their SHA-256
NOT_IDENTITY = {"_name_or_path", "_diffusers_version", "transformers_version", "dtype", "torch_dtype", "architectures"}


def find_folder(name: str, *, key: str) -> Path:
    """Find a model: a local folder, or `owner/name[/folder][@revision]` in the hub cache; nothing is downloaded.

    key: of the config, for the message. Raises UserError where neither is there.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    local = Path(name).expanduser()
    if local.is_dir():
        return local
    match = HUB_NAME.fullmatch(name)
    if match is not None:
        repo: str | None
        try:
            repo = snapshot_download(match["repo"], revision=match["revision"], local_files_only=True)
        except LocalEntryNotFoundError as error:
            repo = getattr(error, "snapshot_path", None)  # it is here, but not all of its files, nor are all needed
        except HFValidationError:
            repo = None
        folder = Path(repo or "", match["inside"].lstrip("/"))
        if repo is not None and folder.is_dir():
            return folder
    raise UserError(f"{key} = {name!r}: no such folder, and no such model in the hub cache")


def require_file(path: Path, of_what: str) -> Path:
    """Return the path of a file that must be there; raises UserError."""
    if not path.is_file():
        raise UserError(f"{path} is missing: expected {of_what}")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises UserError for anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: a {type(found).__name__}, expected a JSON object")
    return found


def require_safetensors(folder: Path) -> None:
    """Raise UserError unless a folder holds weights as safetensors; pickled ones can run code and are not read."""
    if _weight_files(folder):
        return
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise UserError(
            f"{folder}: holds pickled weights only ({pickled[0]}), expected safetensors; "
            "load the model where you trust it and save it again with save_pretrained"
        )
    raise UserError(f"{folder}: no weights, expected *.safetensors")


def weights_digest(folder: Path) -> str:
    """Return a SHA-256 of a model's weights and config; reads the files, unless the hub cache knows their digest.

    A file is read once per process, and again only if it was changed.
    """
    config = read_json(folder / "config.json")
    kept = {key: value for key, value in config.items() if key not in NOT_IDENTITY}
    digests = [file_digest(path) for path in _weight_files(folder)]
    return hashlib.sha256(json.dumps([kept, digests], sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file: as the hub cache names it, as found before, or read."""
    resolved = path.resolve()
    if BLOB_NAME.fullmatch(resolved.name):
        return resolved.name
    stat = resolved.stat()
    return _digest_once(resolved, stat.st_size, stat.st_mtime_ns)


@contextlib.contextmanager
def hushed(*logs: Any) -> Iterator[None]:
    """Load or save models without bars and without reports of weights: who loads checks them.

    logs: the logging modules of the libraries, as `transformers.utils.logging`.
    """
    shown = [each for each in logs if each.is_progress_bar_enabled()]
    verbosities = [each.get_verbosity() for each in logs]
    for each in shown:
        each.disable_progress_bar()
    for each in logs:
        each.set_verbosity_error()
    try:
        yield
    finally:
        for each, verbosity in zip(logs, verbosities, strict=True):
            each.set_verbosity(verbosity)
        for each in shown:
            each.enable_progress_bar()


def _weight_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if WEIGHTS.fullmatch(path.name))


@functools.lru_cache(maxsize=1024)
def _digest_once(path: Path, size_bytes: int, mtime_ns: int) -> str:
    return file_sha256(path)

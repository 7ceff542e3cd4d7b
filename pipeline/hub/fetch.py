"""Fetch: a model of the hub -> a folder with the files that are needed, in the hub cache or where it is wanted.

This is the only place of the project that downloads anything.
"""

import contextlib
import glob
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.hub.convert import convert_pickled, require_converter
from pipeline.hub.files import Choice, choose_files
from pipeline.hub.wanted import HubModel, Need
from schemas.errors import MachineFault, UserError
from schemas.storage import MACHINE_ERRNOS

SHORT = 12  # hex digits of a commit in names of folders
NEEDS_HUB = "huggingface_hub is not installed: pip install 'mobius[hf]'"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model that is on this machine now.

    name: what the config has to name from now on. commit: the revision that was asked for, resolved.
    is_converted: its weights were pickled and were written again as safetensors.
    """

    model: HubModel
    name: str
    commit: str
    size_bytes: int
    is_converted: bool = False


def fetch(model: HubModel, *, into: Path | None = None) -> Fetched:
    """Fetch what is needed of a model, unless it is here; what was broken off is taken up again.

    into: the folder in which its folder is made; None: the hub cache.
    Raises UserError where the hub does not have it, or not for us, and MachineFault where it or the disk fails.
    """
    with _told(model):
        from huggingface_hub import HfApi

        info = HfApi().model_info(model.repo, revision=model.revision, files_metadata=True)
        commit = str(info.sha)
        sizes = {each.rfilename: int(each.size or 0) for each in info.siblings or ()}
        choice = choose_files(sizes, model)
        _require_weights(model, choice)
        if choice.pickled:
            folder = _fetch_and_convert(model, commit, choice, into)
            return Fetched(model, str(_inside(folder, model)), commit, size_of(folder), is_converted=True)
        size_bytes = sum(sizes[name] for name in choice.files)
        if into is None:
            _download(model.repo, commit, choice.files)
            _note_revision(model, commit)
            return Fetched(model, f"{model.repo}{_slashed(model.inside)}@{commit}", commit, size_bytes)
        folder = into.absolute() / _folder_name(model, commit)
        if not _holds(folder, choice.files, sizes):
            _download(model.repo, commit, choice.files, folder)
        return Fetched(model, str(_inside(folder, model)), commit, size_bytes)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _fetch_and_convert(model: HubModel, commit: str, choice: Choice, into: Path | None) -> Path:
    """Keep the pickled weights only as long as they are read, and never in the hub cache.

    The folder is made aside as a whole: one that is there is finished.
    """
    place = _cache_folder(model) / "converted" if into is None else into.absolute()
    target = place / _folder_name(model, commit)
    folders = sorted({Path(name).parent for name in choice.pickled})
    if all((target / name).is_file() for name in choice.files) and all(
        any((target / folder).glob("*.safetensors")) for folder in folders
    ):
        return target
    require_converter()
    pickled, aside = place / f".{target.name}.pickled", place / f".{target.name}.converted"
    _download(model.repo, commit, (*choice.files, *choice.pickled), pickled)
    shutil.rmtree(aside, ignore_errors=True)  # of one that was broken off
    try:
        for folder in folders:
            names = [Path(name).name for name in choice.pickled if Path(name).parent == folder]
            (aside / folder).parent.mkdir(parents=True, exist_ok=True)
            convert_pickled(pickled / folder, aside / folder, names)
    except UserError:  # what is not read is not kept
        shutil.rmtree(pickled)
        shutil.rmtree(aside, ignore_errors=True)
        raise
    for name in choice.files:  # of other parts
        if not (aside / name).exists():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (pickled / name).rename(aside / name)
    shutil.rmtree(target, ignore_errors=True)  # what lacks a file is no use
    aside.rename(target)
    shutil.rmtree(pickled)
    return target


def _note_revision(model: HubModel, commit: str) -> None:
    """Note in the cache, as its own library does, which commit a branch or tag is; by it the model is found offline."""
    from huggingface_hub import constants

    revision = model.revision or constants.DEFAULT_REVISION
    if revision != commit:
        path = _cache_folder(model) / "refs" / revision
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit)


def _download(repo: str, commit: str, files: Sequence[str], folder: Path | None = None) -> None:
    from huggingface_hub import snapshot_download

    patterns = [glob.escape(name) for name in files]
    snapshot_download(repo, revision=commit, allow_patterns=patterns, local_dir=folder)
    if folder is not None:
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # notes of the downloader


def _require_weights(model: HubModel, choice: Choice) -> None:
    if any(need is Need.MODEL for _, need in model.parts) and not choice.pickled:
        if not any(name.endswith(".safetensors") for name in choice.files):
            raise UserError(f"{model.key} = {model.name!r}: neither model.safetensors nor pytorch_model.bin is in it")
    elif not choice.files:
        raise UserError(f"{model.key} = {model.name!r}: none of the files that are needed is in it")


def _holds(folder: Path, files: Sequence[str], sizes: Mapping[str, int]) -> bool:
    return all((folder / name).is_file() and (folder / name).stat().st_size == sizes[name] for name in files)


def _cache_folder(model: HubModel) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=model.repo, repo_type="model"))


def _folder_name(model: HubModel, commit: str) -> str:
    return f"{model.repo.replace('/', '--')}@{commit[:SHORT]}"


def _inside(folder: Path, model: HubModel) -> Path:
    return folder / model.inside if model.inside else folder


def _slashed(folder: str) -> str:
    return f"/{folder}" if folder else ""


@contextlib.contextmanager
def _told(model: HubModel) -> Iterator[None]:
    """Tell in one sentence why the hub or the disk gives nothing."""
    try:
        import huggingface_hub.errors as hub
    except ImportError as error:
        raise UserError(NEEDS_HUB) from error
    named = f"{model.key} = {model.name!r}"
    http_error: Any = hub.HfHubHTTPError.__mro__[1]  # of whichever HTTP library the hub's uses
    try:
        yield
    except hub.OfflineModeIsEnabled as error:
        raise UserError(f"{named}: HF_HUB_OFFLINE is set, expected it unset while a model is fetched") from error
    except hub.GatedRepoError as error:
        raise UserError(f"{named}: accept its licence at the hub first, and put your token into HF_TOKEN") from error
    except hub.RevisionNotFoundError as error:
        raise UserError(f"{named}: the hub has no such revision of {model.repo}") from error
    except hub.RepositoryNotFoundError as error:
        raise UserError(f"{named}: the hub has no such model, or shows it to nobody without HF_TOKEN") from error
    except hub.HFValidationError as error:
        raise UserError(f"{named}: {error}") from error
    except (http_error, OSError) as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise MachineFault(f"{named}: {error.strerror}") from error
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise MachineFault(f"{named}: not fetched, run the same command again ({said})") from error

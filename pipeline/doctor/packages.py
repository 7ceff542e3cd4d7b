"""Packages: names of packages -> the trouble that one of them is not installed; nothing is imported."""

from collections.abc import Iterable
from importlib.util import find_spec

from pipeline.captions.config import CaptionCheckConfig
from pipeline.doctor.report import Trouble
from schemas.errors import UserError
from schemas.model_files import find_folder

FETCH = "mobius models fetch CONFIG, or name a folder that is there"


def lacking(packages: Iterable[str], *, remedy: str) -> Trouble | None:
    """Return the trouble with the first package that is not there."""
    for package in packages:
        if not _is_installed(package):
            return Trouble(f"the package {package} is not installed", remedy)
    return None


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package that it would be a part of
        return False


def lacking_for_checks(check: CaptionCheckConfig) -> Trouble | None:
    """Return what lacks for checking that which a model writes."""
    packages = ["opencc"] if check.traditional != "keep" else []
    packages += ["py3langid"] if check.language_model == "py3langid" else []
    trouble = lacking(packages, remedy="pip install 'mobius[captions]'")
    if trouble is not None or check.tokenizer is None:
        return trouble
    trouble = lacking(["huggingface_hub", "transformers"], remedy="pip install 'mobius[hf]'")
    if trouble is not None:
        return trouble
    try:
        find_folder(check.tokenizer, key="check.tokenizer")
    except UserError as error:
        return Trouble(str(error), FETCH)
    return None

"""Wanted: a config -> the models of the hub that it uses, and what is needed of each."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.config import CurateConfig
from pipeline.models.writer import WriterConfig
from schemas.errors import UserError
from schemas.model_files import HUB_NAME


class Need(StrEnum):
    """What is needed of a model: weights and all that belongs to them, or only a tokenizer, or only a config."""

    MODEL = "model"
    TOKENIZER = "tokenizer"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model as a config names it.

    key: of the config. name: `owner/name[/folder][@revision]`.
    parts: folders of it, each with what is needed of it, where it is a base of several models; "" is the named folder
    itself. A part that is not there is left out.
    """

    key: str
    name: str
    parts: tuple[tuple[str, Need], ...] = (("", Need.MODEL),)

    def __post_init__(self) -> None:
        if HUB_NAME.fullmatch(self.name) is None or self.name.startswith("."):
            raise UserError(f"{self.key} = {self.name!r}: no such folder, and no owner/name[/folder][@revision]")

    @property
    def repo(self) -> str:
        """`owner/name`."""
        return self._part("repo")

    @property
    def inside(self) -> str:
        """The folder in it, without slashes around; "" for the whole."""
        return self._part("inside").strip("/")

    @property
    def revision(self) -> str | None:
        """A commit, tag or branch; None where none is asked for."""
        return self._part("revision") or None

    def _part(self, group: str) -> str:
        match = HUB_NAME.fullmatch(self.name)
        assert match is not None
        return match[group] or ""


def wanted_models(config: CurateConfig) -> list[HubModel]:
    """List the hub models that the chosen engines of a curation use. Raises UserError for a name that can be none."""
    wanted = []
    for stage in ("image_caption", "video_caption", "summary", "translation"):
        writer: WriterConfig = getattr(config, stage)
        if writer.engine == "hf" and not is_local(writer.chosen.model):
            wanted.append(HubModel(f"{stage}.hf.model", writer.chosen.model))
        tokenizer = writer.check.tokenizer
        if writer.is_checked and tokenizer is not None and not is_local(tokenizer):
            wanted.append(HubModel(f"{stage}.check.tokenizer", tokenizer, (("", Need.TOKENIZER),)))
    return wanted


def is_local(name: str) -> bool:
    """Tell whether a name is that of a folder, which wins over the hub."""
    return Path(name).expanduser().is_dir()

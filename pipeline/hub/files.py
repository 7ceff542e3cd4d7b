"""Files: the names of all files of a repository -> those that are needed; nothing that could run is among them."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.hub.wanted import HubModel, Need
from schemas.model_files import WEIGHTS

SETTINGS = {".json", ".jinja", ".txt", ".model", ".spm", ".bpe", ".tiktoken"}  # config, tokenizer, templates
NOT_NEEDED = re.compile(r".*\.index\.json|(flax|tf|onnx).*", re.IGNORECASE)
WEIGHTS_INDEX = re.compile(r"(diffusion_pytorch_)?model\.safetensors\.index\.json")
PICKLED = re.compile(r"pytorch_model(-\d{5}-of-\d{5})?\.bin")
NOTES = re.compile(r"README\.md|(LICEN[SC]E|NOTICE|USE_POLICY).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """Names in a repository. pickled: weights that there are in no other form."""

    files: tuple[str, ...]
    pickled: tuple[str, ...] = ()


def choose_files(names: Iterable[str], model: HubModel) -> Choice:
    """Choose what is needed of a model; pickled weights only where there are no safetensors."""
    paths = [PurePosixPath(name) for name in names]
    files = {path for path in paths if NOTES.fullmatch(path.name) and str(path.parent) in (".", model.inside)}
    pickled: set[PurePosixPath] = set()
    for part, need in model.parts:
        folder = PurePosixPath(posixpath.normpath(posixpath.join(model.inside, part)))
        own = [path for path in paths if path.parent == folder]
        if need is Need.CONFIG:
            files |= {path for path in own if path.name == "config.json"}
            continue
        files |= {path for path in own if path.suffix in SETTINGS and not NOT_NEEDED.fullmatch(path.name)}
        if need is Need.MODEL:
            weights = {path for path in own if WEIGHTS.fullmatch(path.name) or WEIGHTS_INDEX.fullmatch(path.name)}
            files |= weights
            pickled |= set() if weights else {path for path in own if PICKLED.fullmatch(path.name)}
    return Choice(tuple(sorted(map(str, files))), tuple(sorted(map(str, pickled))))

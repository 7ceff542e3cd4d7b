"""Identity: a config -> name, revision, weight digest and prompt digest of its model, without opening it."""

import hashlib
import re
from pathlib import Path

from pipeline.models.hf.config import HfConfig
from schemas.model_files import HUB_NAME, file_digest, find_folder, weights_digest

KEY = "model"  # of the config, for messages
SHORT = 12  # hex digits of a digest in rows
COMMIT = re.compile(r"[0-9a-f]{40}")
ANSWERING = {".json", ".jinja", ".model", ".spm", ".txt", ".bpe"}  # tokenizer, processor, templates, defaults
NOT_ANSWERING = re.compile(r"config\.json|.*\.index\.json|(LICENSE|USE_POLICY|NOTICE).*|README.*", re.IGNORECASE)
WHERE = {"model", "device"}  # settings that change no answer by themselves


def find_model(config: HfConfig) -> Path:
    """Return the folder of the configured model; raises UserError where it is not on this machine."""
    return find_folder(config.model, key=KEY)


def identify_hf(config: HfConfig) -> str:
    """Name everything that decides the answers: for the fingerprint.

    Digests of the weights, of tokenizer, processor and templates, and of the settings with the prompt. Neither the
    device nor the name or place of the folder is in it, nor the version of transformers: the same weights moved to
    another machine answer nothing again. Raises UserError where the model is missing.
    """
    folder = find_model(config)
    settings = config.model_dump_json(exclude=WHERE)
    digests = f"weights {weights_digest(folder)[:SHORT]} files {_files_digest(folder)[:SHORT]}"
    return f"hf {digests} settings {_short(settings)}"


def row_identity(config: HfConfig) -> str:
    """Name model and revision, and a digest of the prompt where there is one: for the rows."""
    folder = find_model(config)
    prompt = getattr(config, "prompt", None)
    name = _name(config.model, folder)
    return name if prompt is None else f"{name} prompt {_short(prompt)}"


def _name(model: str, folder: Path) -> str:
    """`owner/name@commit` for the hub, `folder@weights` for a local folder."""
    commit = next((part for part in reversed(folder.parts) if COMMIT.fullmatch(part)), None)
    match = HUB_NAME.fullmatch(model)
    if commit is not None and match is not None and not Path(model).expanduser().is_dir():
        return f"{match['repo']}{match['inside']}@{commit[:SHORT]}"
    return f"{folder.resolve().name}@{weights_digest(folder)[:SHORT]}"


def _files_digest(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.suffix in ANSWERING and path.is_file())
    names = [(path.name, file_digest(path)) for path in files if not NOT_ANSWERING.fullmatch(path.name)]
    return hashlib.sha256(repr(names).encode()).hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]

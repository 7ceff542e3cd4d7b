"""Look at a model of transformers: is its folder here and whole? No weight is read, and torch only for `cuda`."""

from dataclasses import replace
from pathlib import Path

from pipeline.config import CurateConfig
from pipeline.doctor.devices import lacking_device
from pipeline.doctor.licence import licence_of
from pipeline.doctor.packages import FETCH, lacking, lacking_for_checks
from pipeline.doctor.report import ModelReport, Trouble
from pipeline.models.hf.identity import COMMIT, SHORT
from pipeline.models.writer import WriterConfig
from schemas.errors import UserError
from schemas.model_files import HUB_NAME, find_folder, read_json, require_file, require_safetensors

INSTALL = "pip install 'mobius[hf]'"
INDEX = "model.safetensors.index.json"
TOKENIZERS = {"tokenizer.json", "tokenizer.model", "vocab.json", "source.spm", "sentencepiece.bpe.model", "vocab.txt"}
TEMPLATES = ("chat_template.jinja", "additional_chat_templates")
NEEDS_SENTENCEPIECE = {"tokenizer.model", "source.spm", "sentencepiece.bpe.model"}


def look_at_hf(stage: str, config: CurateConfig) -> ModelReport:
    """Look at the model of one stage, and at what checks that which it writes."""
    writer: WriterConfig = getattr(config, stage)
    report = ModelReport(stage, "hf", writer.chosen.model, device=writer.chosen.device)
    trouble = lacking(["huggingface_hub"], remedy=INSTALL)
    if trouble is not None:
        return report.with_trouble(trouble)
    report = _look_at_folder(report, key=f"{stage}.hf.model")
    trouble = (
        (_lacking_template(Path(report.where)) if stage == "summary" and report.where else None)
        or lacking(["torch", "transformers", "safetensors", "jinja2"], remedy=INSTALL)
        or lacking_device(writer.chosen.device)
        or lacking_for_checks(writer.check)
    )
    return report if report.trouble is not None else report.with_trouble(trouble)


def _look_at_folder(report: ModelReport, *, key: str) -> ModelReport:
    """Find the folder of the model that a report names, and say what it holds; needs huggingface_hub."""
    try:
        folder = find_folder(report.model, key=key)
    except UserError as error:
        return report.with_trouble(Trouble(str(error), FETCH))
    match = HUB_NAME.fullmatch(report.model)
    is_local = Path(report.model).expanduser().is_dir()
    inside = "" if match is None or is_local else match["inside"].strip("/")
    root = folder.parents[inside.count("/")] if inside else folder
    report = replace(
        report,
        is_here=True,
        revision=next((part[:SHORT] for part in reversed(folder.parts) if COMMIT.fullmatch(part)), None),
        where=str(folder),
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        licence=licence_of(folder, root),
    )
    try:
        _require_whole(folder)
    except UserError as error:
        remedy = "name the model as the hub does, and run mobius models fetch CONFIG" if is_local else FETCH
        return replace(report, is_here=False).with_trouble(Trouble(str(error), remedy))
    return report.with_trouble(_lacking_for_tokenizer(folder))


def _require_whole(folder: Path) -> None:
    """Raise UserError where a file lacks, as after a copy or download that was broken off."""
    require_file(folder / "config.json", "the config of a model")
    require_safetensors(folder)
    if (folder / INDEX).is_file():
        shards = read_json(folder / INDEX).get("weight_map", {})
        for name in sorted(set(shards.values())):
            require_file(folder / name, f"a part of the weights that {INDEX} names")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise UserError(f"{folder}: no tokenizer, expected one of {', '.join(sorted(TOKENIZERS))}")


def _lacking_template(folder: Path) -> Trouble | None:
    """Return the trouble that a model was not made to chat: a summary is asked for in words."""
    settings = folder / "tokenizer_config.json"
    if any((folder / name).exists() for name in TEMPLATES):
        return None
    if settings.is_file() and read_json(settings).get("chat_template"):
        return None
    sentence = f"{folder}: has no chat template, expected a model that was made to chat"
    return Trouble(sentence, "name the chat version of the model, or put its chat_template.jinja into the folder")


def _lacking_for_tokenizer(folder: Path) -> Trouble | None:
    if (folder / "tokenizer.json").is_file() or not any((folder / name).is_file() for name in NEEDS_SENTENCEPIECE):
        return None
    return lacking(["sentencepiece", "google.protobuf"], remedy=INSTALL)

"""Captions: label and caption columns of a sample -> the text the model is trained on."""

import pyarrow.compute as pc

from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.training_set import TrainingSet
from schemas.errors import UserError

AUTO = {"t2i": "image_caption", "t2v": "summary"}
SUFFIXES = {"en": "", "zh": "_zh"}


def caption_column(config: DataConfig, stage: Stage) -> str:
    """Return the column that captions are read from."""
    name = AUTO[stage] if config.caption == "auto" else config.caption
    return name + SUFFIXES[config.language]


def join_caption(label: str | None, caption: str) -> str:
    """Return label + ", " + caption; the caption alone where a sample has no label."""
    return f"{label}, {caption}" if label else caption


def require_captions(training_set: TrainingSet, column: str) -> None:
    """Raise UserError if some samples of a set have no caption; reads only this column and, for one group, the key."""
    training_set.require_columns([column])
    num_missing = 0
    first_key = ""
    for index in range(len(training_set.row_groups)):
        captions = training_set.reader.read_once(index, [column])[column]
        missing = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(captions, ""))), 0)
        found = pc.sum(missing).as_py() or 0
        if found and not num_missing:
            keys = training_set.reader.read_once(index, ["key"])["key"]
            first_key = keys[missing.index(True).as_py()].as_py()
        num_missing += found
    if num_missing:
        total = training_set.num_samples
        raise UserError(
            f"{training_set.folder}: {num_missing} of {total} samples have no `{column}`, the first is {first_key}; "
            "run `mobius curate` to the end or choose another caption or language"
        )

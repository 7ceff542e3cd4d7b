"""Vocabulary captions: a dataset root -> every caption that training may read from it, in every language."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from mobius_model.data.captions import SUFFIXES, join_caption
from mobius_model.data.config import Stage
from mobius_model.data.training_set import open_training_set

COLUMNS = {"t2i": ("image_caption",), "t2v": ("image_caption", "video_caption", "summary")}


def read_captions(root: Path) -> Iterator[str]:
    """Yield the captions of both sets, labels before them. Raises UserError for a root that was not exported."""
    stages: tuple[Stage, ...] = get_args(Stage)
    for stage in stages:
        training_set = open_training_set(root, stage, verify="size")
        columns = [name + suffix for name in COLUMNS[stage] for suffix in SUFFIXES.values()]
        training_set.require_columns(["label", *columns])
        for index in range(len(training_set.row_groups)):
            rows = training_set.reader.read_once(index, ["label", *columns]).to_pylist()
            for row in rows:
                yield from (join_caption(row["label"], row[column]) for column in columns if row[column])

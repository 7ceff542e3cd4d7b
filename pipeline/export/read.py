"""Read a training set: a dataset root -> its rows, through the manifest."""

from typing import Any

from pipeline.export.columns import TrainingSet
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.storage import open_parquet


def read_first_rows(root: DatasetRoot, training_set: TrainingSet, num: int) -> list[dict[str, Any]]:
    """Return the first rows of a set; reads one batch. Raises UserError if the set was never exported."""
    manifest = root.read_export(training_set.name)
    if manifest is None:
        raise UserError(f"{root.path}: no {training_set.name}/manifest.json, export it with `mobius curate`")
    if not manifest.files:
        return []
    with open_parquet(root.export_folder(training_set.name) / manifest.files[0].name) as file:
        rows: list[dict[str, Any]] = next(file.iter_batches(batch_size=num)).to_pylist()
    return rows

"""Read a training set: a dataset root -> its rows, through the manifest."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipeline.export.columns import TrainingSet
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.manifest import ExportManifest
from schemas.storage import open_parquet


def require_export(root: DatasetRoot, training_set: TrainingSet) -> ExportManifest:
    """Return the manifest of a finished set. Raises UserError if the set was never exported."""
    manifest = root.read_export(training_set.name)
    if manifest is None:
        raise UserError(f"{root.path}: no {training_set.name}/manifest.json, export it with `mobius curate`")
    return manifest


def read_first_rows(root: DatasetRoot, training_set: TrainingSet, num: int) -> list[dict[str, Any]]:
    """Return the first rows of a set; reads one batch. Raises UserError if the set was never exported."""
    manifest = require_export(root, training_set)
    if not manifest.files:
        return []
    with open_parquet(root.export_folder(training_set.name) / manifest.files[0].name) as file:
        rows: list[dict[str, Any]] = next(file.iter_batches(batch_size=num)).to_pylist()
    return rows


def read_batches(
    root: DatasetRoot, training_set: TrainingSet, manifest: ExportManifest, *, batch_samples: int
) -> Iterator[pa.RecordBatch]:
    """Yield all rows of a set in order, with the columns of the set; a row group is in memory at a time.

    Raises UserError if another export takes the place of the set meanwhile, or a file lacks a column.
    """
    names = [column.name for column in training_set.columns]
    for each in manifest.files:
        path = root.export_folder(training_set.name) / each.name
        num_rows = 0
        try:
            with open_parquet(path) as file:
                missing = [name for name in names if name not in file.schema_arrow.names]
                if missing:
                    raise UserError(f"{path}: no column `{missing[0]}`, expected an export of this version")
                for group in range(file.num_row_groups):
                    for batch in file.iter_batches(batch_samples, row_groups=[group], columns=names):
                        num_rows += batch.num_rows
                        yield batch.select(names)
        except FileNotFoundError as error:
            raise UserError(f"{path}: gone since its manifest was read, run the command again") from error
        if num_rows != each.num_samples:
            raise UserError(f"{path}: {num_rows} samples, the manifest says {each.num_samples}")

"""Convert: an exported set and the name of a format -> a folder of that format, whole or not there at all."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.export.card_head import card_for
from pipeline.export.columns import TrainingSet
from pipeline.export.formats.table import FORMATS, Format
from pipeline.export.formats.writer import FormatConfig
from pipeline.export.read import read_batches, require_export
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.folders import folder_written_aside, remove_abandoned
from schemas.location import ObjectPath, parse_location
from schemas.manifest import ExportManifest
from schemas.room import ReserveConfig
from schemas.storage import read_text

BATCH_SAMPLES = 32


def require_target(out: str) -> Path:
    """Return the folder to write. Raises UserError unless it is new or empty, on this machine, and can be made."""
    location = parse_location(out, key="OUT")
    if isinstance(location, ObjectPath):
        raise UserError(f"OUT = {out!r}: expected a folder of this machine; copy it from there with the store's tools")
    folder = location.absolute()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: a file, expected a new or empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder}: holds files, expected a new or empty folder")
    existing = next(parent for parent in folder.parents if parent.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise UserError(f"{folder}: {existing} cannot be written, expected a folder that can")
    return folder


def require_format(name: str) -> Format:
    """Return a format by its name. Raises UserError for another name, or if its package is missing."""
    if name not in FORMATS:
        raise UserError(f"--format {name}: expected one of {', '.join(FORMATS)}")
    found = FORMATS[name]
    if found.module is not None and importlib.util.find_spec(found.module) is None:
        raise UserError(f"{found.package} is not installed, expected: pip install 'mobius[formats]'")
    return found


def convert_set(
    root: DatasetRoot,
    training_set: TrainingSet,
    out: str,
    *,
    format_name: str,
    config: FormatConfig,
    begin: Callable[[int], Callable[[int], None]] = lambda total: lambda done: None,
) -> int:
    """Write a set in another format and return how many samples it has.

    `begin` is called with that number, and what it returns with how many are done by now. Written aside and renamed:
    what breaks off leaves nothing. Raises UserError for a set, format or place that will not do, before it reads one.
    """
    chosen = require_format(format_name)
    folder = require_target(out)
    manifest = require_export(root, training_set)
    remove_abandoned(folder)
    batches = _followed(root, training_set, manifest, folder, begin(manifest.num_samples))
    with folder_written_aside(folder) as aside:
        chosen.write(aside, batches, training_set=training_set, config=config)
        card = read_text(root.export_folder(training_set.name) / "README.md", "")
        (aside / "README.md").write_text(card_for(card, chosen.data_files), encoding="utf-8")
        require_target(out)  # whatever was put there meanwhile is not ours to remove
    return manifest.num_samples


def _followed(
    root: DatasetRoot, training_set: TrainingSet, manifest: ExportManifest, folder: Path, move: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches; each is done when the next one is asked for."""
    done = 0
    for batch in read_batches(root, training_set, manifest, batch_samples=BATCH_SAMPLES):
        ReserveConfig().require(folder, batch.nbytes)
        yield batch
        done += batch.num_rows
        move(done)

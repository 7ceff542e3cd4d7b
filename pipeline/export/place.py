"""Place: a finished export, written aside -> the folder that users open, in the place of the last one.

On a disk two renames; killed in between, the next run ends it. An object store cannot rename: there the manifest, which
is what says that a set is finished, goes first and comes back last, and the files are copied inside the store.
"""

from collections.abc import Sequence
from pathlib import Path

from pipeline.export.columns import TrainingSet
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.location import Location, ObjectPath
from schemas.storage import (
    copy_file,
    is_empty,
    list_asides,
    list_sizes,
    remove_files,
    remove_folder,
    write_text,
)

MANIFEST = "manifest.json"
COPYING = "copying"  # in the folder aside once its files are being copied
FOREIGN = "{}: no export of this project (no manifest.json), move it away to export there"


def take_place(root: DatasetRoot, training_set: TrainingSet, aside: Location, *, notes: Sequence[Location]) -> None:
    """Put a finished folder in the place of the last export; `notes` in it are no part of it.

    Raises UserError if something stands there that no export wrote.
    """
    place = root.export_folder(training_set.name)
    is_foreign = not is_empty(place) and root.read_export(training_set.name) is None
    if isinstance(aside, ObjectPath) or isinstance(place, ObjectPath):
        if is_foreign and not (aside / COPYING).exists():
            raise UserError(FOREIGN.format(place))
        write_text(aside / COPYING, "")
        _copy_over(aside, place, {COPYING, *(each.name for each in notes)})
    else:
        if is_foreign:
            raise UserError(FOREIGN.format(place))
        remove_files(notes)
        _swap(aside, place, _replaced(root, training_set))
    for leftover in list_asides(root.path, training_set.name):
        remove_folder(leftover)


def remove_replaced(root: DatasetRoot, training_set: TrainingSet) -> None:
    """Remove what a kill left of a set that has been replaced, or put it back if nothing took its place."""
    old = _replaced(root, training_set)
    place = root.export_folder(training_set.name)
    if isinstance(old, ObjectPath) or isinstance(place, ObjectPath) or not old.exists():
        return
    if place.exists():
        remove_folder(old)
    else:
        old.rename(place)


def _replaced(root: DatasetRoot, training_set: TrainingSet) -> Location:
    return root.path / f".{training_set.name}-replaced"


def _swap(aside: Path, place: Path, old: Location) -> None:
    """Swap folders; a kill between the two renames leaves the old set under a dotted name."""
    remove_folder(old)
    if place.exists():
        place.rename(str(old))
    aside.rename(place)


def _copy_over(aside: Location, place: Location, notes: set[str]) -> None:
    """Copy all files; until the manifest is back, the folder is not finished. Can be begun again at any point."""
    names = set(list_sizes(aside)) - notes
    remove_files([place / MANIFEST])
    remove_files([place / name for name in set(list_sizes(place)) - names])
    for name in sorted(names - {MANIFEST}):
        copy_file(aside / name, place / name)
    copy_file(aside / MANIFEST, place / MANIFEST)

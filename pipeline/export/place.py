"""Place: a finished export, written aside -> the folder that users open, in the place of the last one.

On a disk two renames; killed in between, the next run ends it. An object store cannot rename: there the manifest, which
is what says that a set is finished, goes first and comes back last, and the files are copied inside the store. Until it
is back, a note in the folder aside says whose files they are: so the next run goes on, or begins with another set.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.export.columns import TrainingSet
from pipeline.root import DatasetRoot
from schemas.errors import MachineFault, UserError
from schemas.location import Location, ObjectPath
from schemas.storage import (
    copy_file,
    is_empty,
    list_asides,
    list_sizes,
    read_text,
    remove_files,
    remove_folder,
    write_text,
)

MANIFEST = "manifest.json"
COPYING = "copying"  # in the folder aside once its files are to be copied
EMPTIED = "emptied"  # what it says once nothing else is left in the place: what is there was copied from here
COPIES = 16  # at a time
RANGE_NOTE = re.compile(r"\d{5,}\.json")
FOREIGN = "{}: no export of this project (no manifest.json), move it away to export there"


def take_place(
    root: DatasetRoot,
    training_set: TrainingSet,
    aside: Location,
    *,
    notes: Sequence[Location],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Put a finished folder in the place of the last export; `notes` in it are no part of it.

    `check` is called now and then while files are copied, and may raise; the next call goes on from there.
    Raises UserError if something stands there that no export wrote.
    """
    require_own_place(root, training_set)
    place = root.export_folder(training_set.name)
    asides = list_asides(root.path, training_set.name)
    if isinstance(aside, Path) and isinstance(place, Path):
        _swap(aside, place, _replaced(root, training_set))
        remove_files([place / each.name for each in notes])
    else:
        _begin_copying(aside, place, [each for each in asides if each != aside])
        _copy_over(aside, place, {COPYING, *(each.name for each in notes)}, check)
    for leftover in list_asides(root.path, training_set.name):
        remove_folder(leftover)


def require_own_place(root: DatasetRoot, training_set: TrainingSet) -> None:
    """Raise UserError if something stands where an export is to go that no export wrote."""
    place = root.export_folder(training_set.name)
    if is_empty(place) or root.read_export(training_set.name) is not None:
        return
    asides = list_asides(root.path, training_set.name) if isinstance(place, ObjectPath) else []
    if not any((aside / COPYING).exists() for aside in asides):
        raise UserError(FOREIGN.format(place))


def remove_replaced(root: DatasetRoot, training_set: TrainingSet) -> None:
    """Remove what a kill left of a set that has been replaced, or put it back if nothing took its place."""
    old = _replaced(root, training_set)
    place = root.export_folder(training_set.name)
    if isinstance(old, ObjectPath) or isinstance(place, ObjectPath):
        return
    if (place / MANIFEST).exists():
        remove_files([place / name for name in list_sizes(place) if RANGE_NOTE.fullmatch(name)])
    if old.exists() and not place.exists():
        old.rename(place)
    elif old.exists():
        remove_folder(old)


def _replaced(root: DatasetRoot, training_set: TrainingSet) -> Location:
    return root.path / f".{training_set.name}-replaced"


def _swap(aside: Path, place: Path, old: Location) -> None:
    """Swap folders; a kill between the two renames leaves the old set under a dotted name."""
    remove_folder(old)
    if place.exists():
        place.rename(str(old))
    aside.rename(place)


def _begin_copying(aside: Location, place: Location, others: Iterable[Location]) -> None:
    """Empty the place, the manifest first, unless what is there was copied from this very folder."""
    known = read_text(aside / COPYING, "")
    write_text(aside / COPYING, known)
    remove_files([other / COPYING for other in others])
    if known == EMPTIED:
        return
    remove_files([place / MANIFEST])
    if (place / MANIFEST).exists():
        raise MachineFault(f"{place / MANIFEST}: removed, and still there")
    remove_files([place / name for name in list_sizes(place)])
    write_text(aside / COPYING, EMPTIED)


def _copy_over(aside: Location, place: Location, notes: set[str], check: Callable[[], None]) -> None:
    """Copy what is not there yet, the manifest last. Equal digests, which name folders aside, make equal files."""
    sizes, there = list_sizes(aside), list_sizes(place)
    names = sorted(name for name in sizes.keys() - notes - {MANIFEST} if there.get(name) != sizes[name])
    with ThreadPoolExecutor(COPIES) as pool:
        for first in range(0, len(names), COPIES):
            check()
            for _ in pool.map(lambda name: copy_file(aside / name, place / name), names[first : first + COPIES]):
                pass
    copy_file(aside / MANIFEST, place / MANIFEST)

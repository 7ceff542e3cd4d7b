"""Place: a report built aside -> the folder where people open it, in the place of the last one.

On a disk two renames; in an object store index.html goes first and comes back last.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import UserError
from schemas.location import Location
from schemas.scratch import scratch_prefix
from schemas.storage import is_empty, list_asides, remove_files, remove_folder, written_aside

INDEX = "index.html"
MARK = "report.json"  # tells a report from a folder of somebody else's


@contextmanager
def report_aside(place: Location) -> Iterator[Path]:
    """Give a folder to build in; on success it takes the place of the last report, on failure it is removed.

    Raises UserError if something stands there that is no report.
    """
    if isinstance(place, Path) and place.exists() and not place.is_dir():
        raise UserError(f"{place}: a file, expected a folder to write to as --out")
    if not is_empty(place) and not (place / MARK).exists():
        raise UserError(f"{place}: not empty and no report of this project (no {MARK}), choose another --out")
    if not isinstance(place, Path):
        with tempfile.TemporaryDirectory(prefix=scratch_prefix("report")) as folder:
            yield Path(folder)
            _upload(Path(folder), place)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}-{os.getpid()}-{secrets.token_hex(4)}")
    aside.mkdir()
    try:
        yield aside
        _swap(aside, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _swap(aside: Path, place: Path) -> None:
    """Swap folders, and remove the old report and whatever killed builds have left."""
    if place.exists():
        place.rename(place.with_name(f".{place.name}-replaced-{secrets.token_hex(4)}"))
    aside.rename(place)
    for leftover in list_asides(place.parent, place.name):
        remove_folder(leftover)


def _upload(folder: Path, place: Location) -> None:
    remove_files([place / INDEX])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name == INDEX):
        target = place
        for part in path.relative_to(folder).parts:
            target = target / part
        with written_aside(target) as aside:
            shutil.copyfile(path, aside)

"""Garbage: everything below a dataset root, and what is still referred to -> what nobody reads any more, and why.

Only names that this project gives are ever judged; whatever else lies in a root stays. Nobody may be writing meanwhile.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.answers import BIG_COLUMNS
from pipeline.export.columns import TRAINING_SETS
from pipeline.root import DatasetRoot
from schemas.listing import Found, list_below
from schemas.location import Location
from schemas.scratch import orphaned_folders
from schemas.storage import ASIDE_NAME, open_parquet, read_parquet, remove_files

STAGE_FOLDER = re.compile(r"[a-z_]+-([0-9a-f]{12})")
PART = re.compile(r"(\d+)-[0-9a-f]{16}-[0-9a-f]{6}-(\d+)\.parquet")
SHARD = re.compile(r"(\d{5,})\.parquet")
NOTE = re.compile(r".+\.(stop|life)")
LEASE = re.compile(r".+\.lease")
LEASE_SECONDS = 60.0  # one that is kept is written again long before
REVIEW_SECONDS = 3600.0  # people may write there at any time; what is as old as this was left by a kill
FILES_AT_A_TIME = 100  # removed before it is asked again whether to go on
EXPORT_ASIDE = re.compile(rf"\.({'|'.join(TRAINING_SETS)})-([0-9a-f]{{12}}|replaced)")


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something nobody reads: where, why, its files, and how much is in them."""

    place: Location
    why: str
    files: tuple[Found, ...]
    touched: float = 0.0  # when something was last made or removed in a folder

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def modified(self) -> float:
        """When it was last written to."""
        return max((file.modified for file in self.files), default=self.touched)


@dataclass(frozen=True, slots=True)
class Needed:
    """What must stay. fingerprints: of stages; is_settled: the newest run came to its end, so no export goes on."""

    fingerprints: frozenset[str]
    is_settled: bool


def find_garbage(root: DatasetRoot, needed: Needed, *, written_before: float) -> list[Garbage]:
    """Return what nobody reads and nobody has touched since a moment, in seconds since 1970. Lists everything once."""
    found = list(list_below(root.path))
    over = "note of a run that is over"
    garbage = [
        *_unread_stages(root, found, needed),
        *_doubled_parts(root, found, needed),
        *_left_exports(root, found, needed),
        *_unrecorded_shards(root, found),
        *_single(found, over, lambda file: file.parts[0] == "runs" and _matches(NOTE, file)),
        *_single(found, over, lambda file: _is_stale_lease(file, written_before)),
        *_orphans(),
    ]
    seen = {file.location for each in garbage for file in each.files}
    aside = _single(found, "half-written, its writer is gone", lambda file: _is_left_aside(root, file, written_before))
    garbage += [each for each in aside if each.place not in seen]
    return [each for each in garbage if each.modified < written_before]


def remove_garbage(garbage: Iterable[Garbage], *, check: Callable[[], None] = lambda: None) -> None:
    """Remove files, then the folders that are empty by that; object stores have none. `check` may raise in between."""
    for each in garbage:
        for first in range(0, len(each.files), FILES_AT_A_TIME):
            check()
            remove_files([file.location for file in each.files[first : first + FILES_AT_A_TIME]])
        if isinstance(each.place, Path) and each.place.is_dir():
            for folder in sorted((path for path in each.place.rglob("*") if path.is_dir()), reverse=True):
                folder.rmdir()
            each.place.rmdir()


def _unread_stages(root: DatasetRoot, found: Sequence[Found], needed: Needed) -> Iterator[Garbage]:
    why = "answers of settings that neither a run to be continued nor an export has"
    for name, files in _by_folder(found, root.stages.name).items():
        match = STAGE_FOLDER.fullmatch(name)
        if match and match[1] not in needed.fingerprints:
            yield Garbage(root.stages / name, why, tuple(files))


def _doubled_parts(root: DatasetRoot, found: Sequence[Found], needed: Needed) -> Iterator[Garbage]:
    """Find parts whose rows are all in another part of their shard, as a kill in the middle of joining leaves them."""
    for name, files in _by_folder(found, root.stages.name).items():
        match = STAGE_FOLDER.fullmatch(name)
        if not match or match[1] not in needed.fingerprints:
            continue
        by_shard: defaultdict[str, list[Found]] = defaultdict(list)
        for file in files:
            if part := PART.fullmatch(file.parts[-1]):
                by_shard[part[1]].append(file)
        for parts in by_shard.values():
            for file in _covered(parts):
                yield Garbage(file.location, "every row of it is in another part", (file,))


def _covered(parts: Sequence[Found]) -> Iterator[Found]:
    """Yield parts of one shard that a larger one covers: same keys, and everything else but big columns the same.

    Seconds are among the columns: the same sample computed twice is told from one row that is there twice.
    """
    if len(parts) < 2:
        return
    keys = {file.location: set(read_parquet(file.location, ["key"])["key"].to_pylist()) for file in parts}
    if sum(map(len, keys.values())) == len(set().union(*keys.values())):
        return
    kept: list[Found] = []
    for file in sorted(parts, key=lambda each: (-len(keys[each.location]), each.location.name)):
        mine = keys[file.location]
        if any(mine <= keys[other.location] and _has_rows(other.location, file.location, mine) for other in kept):
            yield file
        else:
            kept.append(file)


def _has_rows(larger: Location, smaller: Location, keys: set[str]) -> bool:
    return _rows(larger, keys) == _rows(smaller, keys)


def _rows(part: Location, keys: set[str]) -> Mapping[str, Mapping[str, object]]:
    with open_parquet(part) as file:
        columns = [name for name in file.schema_arrow.names if name not in BIG_COLUMNS]
    table: pa.Table = read_parquet(part, columns, filters=[("key", "in", keys)])
    return {row["key"]: row for row in table.to_pylist()}


def _left_exports(root: DatasetRoot, found: Sequence[Found], needed: Needed) -> Iterator[Garbage]:
    """Find exports written aside that no run goes on with: an unfinished run may, a finished one has what it wants."""
    if not needed.is_settled:
        return
    finished = {name for name in TRAINING_SETS if root.read_export(name) is not None}
    folders: defaultdict[str, list[Found]] = defaultdict(list)
    for file in found:
        match = EXPORT_ASIDE.fullmatch(file.parts[0])
        if match and len(file.parts) > 1 and match[1] in finished:
            folders[file.parts[0]].append(file)
    for name, files in folders.items():
        yield Garbage(root.path / name, "an export left aside; the one in place is finished", tuple(files))


def _unrecorded_shards(root: DatasetRoot, found: Sequence[Found]) -> Iterator[Garbage]:
    if not root.manifest_path.exists():
        return  # nobody says which shards count: it was lost, or is being restored
    recorded = {shard.name for shard in root.read_manifest().shards}
    for file in found:
        if file.parts[0] == "media" and len(file.parts) == 2:
            match = SHARD.fullmatch(file.parts[1])
            if match and match[1] not in recorded:
                yield Garbage(file.location, "a shard that manifest.json does not name", (file,))


def _orphans() -> Iterator[Garbage]:
    """Find temporary folders of this machine whose processes are gone."""
    for folder in orphaned_folders():
        files = tuple(list_below(folder))
        yield Garbage(folder, "temporary, its process is gone", files, folder.stat().st_mtime)


def _is_stale_lease(file: Found, written_before: float) -> bool:
    return file.parts[0] == "runs" and _matches(LEASE, file) and file.modified < written_before - LEASE_SECONDS


def _is_left_aside(root: DatasetRoot, file: Found, written_before: float) -> bool:
    may_be_written = file.parts[0] == root.review.name and file.modified >= written_before - REVIEW_SECONDS
    return _matches(ASIDE_NAME, file) and not may_be_written


def _single(found: Iterable[Found], why: str, is_garbage: Callable[[Found], bool]) -> Iterator[Garbage]:
    return (Garbage(file.location, why, (file,)) for file in found if is_garbage(file))


def _matches(pattern: re.Pattern[str], file: Found) -> bool:
    return pattern.fullmatch(file.parts[-1]) is not None


def _by_folder(found: Iterable[Found], top: str) -> dict[str, list[Found]]:
    """Return the files of each folder directly in a folder of the root."""
    folders: defaultdict[str, list[Found]] = defaultdict(list)
    for file in found:
        if len(file.parts) > 2 and file.parts[0] == top:
            folders[file.parts[1]].append(file)
    return folders

"""A finished set takes its place whatever is killed in between: on a disk, and in a store that cannot rename."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pipeline.export import place
from pipeline.export.columns import T2I
from pipeline.export.place import MANIFEST, remove_replaced, require_own_place, take_place
from pipeline.root import DatasetRoot
from schemas.errors import Stopped, UserError
from schemas.location import Location, ObjectPath
from schemas.manifest import ExportFile, ExportManifest
from schemas.storage import list_sizes, write_text

OLD, MINE, ANOTHER = "0" * 12, "a" * 12, "b" * 12
FILES = ("00000-00.parquet", "README.md")
VERBS = ("write_text", "copy_file", "remove_files", "remove_folder")
MAX_VERBS = 40


class Killed(BaseException):
    """Stands for a SIGKILL: nothing catches it."""


@pytest.fixture(params=["disk", "store"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetRoot:
    if request.param == "disk":
        return DatasetRoot(tmp_path / "root")
    place: ObjectPath = request.getfixturevalue("place")
    return DatasetRoot(place)


def write_aside(root: DatasetRoot, digest: str) -> tuple[Location, list[Location]]:
    """Write a set aside; its files are as large as those of any other, so sizes do not tell them apart."""
    aside = root.path / f".{T2I.name}-{digest}"
    for name in FILES:
        write_text(aside / name, f"{name} of {digest}")
    write_text(aside / "00000.json", "[]")
    file = ExportFile(name=FILES[0], num_samples=1, size_bytes=len(f"{FILES[0]} of {digest}"), sha256="0" * 64)
    manifest = ExportManifest(name=T2I.name, plan=digest, num_samples=1, files=[file], fingerprints={}, config={})
    write_text(aside / MANIFEST, manifest.model_dump_json())
    return aside, [aside / "00000.json"]


def export(root: DatasetRoot, digest: str, check: Callable[[], None] = lambda: None) -> None:
    """Do what a run does: mend, look, write, take the place."""
    remove_replaced(root, T2I)
    found = root.read_export(T2I.name)
    if found is not None and found.plan == digest:
        return
    require_own_place(root, T2I)
    aside, notes = write_aside(root, digest)
    take_place(root, T2I, aside, notes=notes, check=check)


def assert_in_place(root: DatasetRoot, digest: str) -> None:
    folder = root.export_folder(T2I.name)
    assert set(list_sizes(folder)) == {*FILES, MANIFEST}
    assert [(folder / name).read_bytes().decode() for name in FILES] == [f"{name} of {digest}" for name in FILES]
    found = root.read_export(T2I.name)
    assert found is not None
    assert found.plan == digest


class Killer:
    """Ends whoever calls the n-th verb, before it is done; a verb over several files is one verb for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
        self.left = after
        for name in VERBS:
            monkeypatch.setattr(place, name, self.deadly(getattr(place, name), each=name == "remove_files"))
        monkeypatch.setattr(Path, "rename", self.deadly(Path.rename, each=False))

    def deadly(self, verb: Callable[..., Any], *, each: bool) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            if each:
                for location in self.counted(values[0]):
                    verb([location])
                return None
            self.count()
            return verb(*values)

        return call

    def counted(self, locations: Iterable[Location]) -> Iterable[Location]:
        for location in locations:
            self.count()
            yield location

    def count(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


@pytest.mark.parametrize(
    ("root", "old", "next_digest"),
    [
        ("disk", OLD, MINE),
        ("disk", OLD, ANOTHER),
        ("disk", None, MINE),
        ("disk", None, ANOTHER),
        ("store", OLD, MINE),
        ("store", OLD, ANOTHER),
    ],
    indirect=["root"],
)
def test_whenever_a_run_is_killed_the_next_ends_with_its_set(
    root: DatasetRoot, old: str | None, next_digest: str
) -> None:
    for number in range(MAX_VERBS):
        attempt = DatasetRoot(root.path / str(number))
        if old is not None:
            export(attempt, old)
        with pytest.MonkeyPatch.context() as patched:
            Killer(patched, after=number)
            try:
                export(attempt, MINE)
                was_killed = False
            except Killed:
                was_killed = True
        export(attempt, next_digest)
        assert_in_place(attempt, next_digest)
        if not was_killed:
            break
    assert not was_killed, "more verbs than are tried"
    assert number >= 3


def test_what_no_export_wrote_is_left_alone(root: DatasetRoot) -> None:
    write_text(root.export_folder(T2I.name) / "diary.txt", "of a person")
    with pytest.raises(UserError, match="no export of this project"):
        export(root, MINE)
    assert list_sizes(root.export_folder(T2I.name)) == {"diary.txt": 11}


def test_a_run_that_is_asked_to_stop_while_it_copies_goes_on_later(place: ObjectPath) -> None:
    root = DatasetRoot(place)
    export(root, OLD)

    def stop() -> None:
        raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        export(root, MINE, stop)
    assert root.read_export(T2I.name) is None, "half of a set is none"
    export(root, MINE)
    assert_in_place(root, MINE)

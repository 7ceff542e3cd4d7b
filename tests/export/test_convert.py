"""`mobius export`: whole or not there, into a folder that is new, and one sentence for whatever will not do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.export.columns import T2V
from pipeline.export.formats.convert import convert_set
from pipeline.export.formats.folder_names import folder_name
from pipeline.export.formats.writer import FormatConfig
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.location import ObjectPath
from schemas.storage import written_aside
from tests.conftest import ROOT
from tests.export.small_set import LABELS
from tests.flows.mobius import Mobius

FORMATS = ("webdataset", "lance", "mds", "gif-folder")
USER_ERROR = 2


def convert(root: Path, out: Path | str, format_name: str = "webdataset") -> int:
    return convert_set(DatasetRoot(root), T2V, str(out), format_name=format_name, config=FormatConfig())


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_breaks_off_leaves_nothing_and_can_be_run_again(
    small_root: Path, tmp_path: Path, format_name: str
) -> None:
    if format_name == "lance":
        pytest.importorskip("lance", reason="pip install -c constraints.txt -e '.[formats]'")
    root, out = shutil.copytree(small_root, tmp_path / "root"), tmp_path / "out" / "set"
    last = sorted((root / "t2v").glob("*.parquet"))[-1]
    content = last.read_bytes()
    last.unlink()
    with pytest.raises(UserError, match="gone since its manifest was read"):
        convert(root, out, format_name)
    assert list(out.parent.iterdir()) == []
    last.write_bytes(content)
    assert convert(root, out, format_name) == len(LABELS)
    assert [path.name for path in out.parent.iterdir()] == ["set"]


def test_what_a_killed_export_left_goes_and_what_a_living_one_writes_stays(small_root: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    left, living, other = (
        tmp_path / name for name in (f".out.{dead.pid}-0123abcd", f".out.{os.getpid()}-0123abcd", ".out.mine")
    )
    for folder in (left, living, other):
        folder.mkdir()
    convert(small_root, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out", living.name, other.name}


@pytest.mark.parametrize(
    ("out", "format_name", "sentence"),
    [
        ("full", "mds", "full: holds files, expected a new or empty folder"),
        ("file", "mds", "file: a file, expected a new or empty folder"),
        ("file/below", "mds", "file cannot be written, expected a folder that can"),
        ("s3://bucket/out", "mds", "expected a folder of this machine"),
        ("new", "tfrecord", "--format tfrecord: expected one of webdataset, lance, mds, gif-folder"),
        ("new", "lance", "pylance is not installed, expected: pip install 'mobius[formats]'"),
    ],
)
def test_what_will_not_do_is_one_sentence_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, format_name: str, sentence: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "lance", None)
    with pytest.raises(UserError, match=r"\A[^\n]*\Z") as raised:
        convert(tmp_path / "no-root", out, format_name)
    assert sentence in str(raised.value)
    assert {path.name for path in tmp_path.rglob("*")} == {"full", "thesis.txt", "file"}


def test_a_key_that_is_a_path_is_refused(small_root: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = shutil.copytree(small_root, tmp_path / "root")
    first = min((root / "t2v").glob("*.parquet"))
    table = pq.read_table(first)
    keys = pa.array(["../../key", *table["key"].to_pylist()[1:]])
    pq.write_table(table.set_column(table.schema.get_field_index("key"), "key", keys), first)
    with pytest.raises(UserError, match="expected 32 hex digits"):
        convert(root, tmp_path / "out")


def test_labels_become_folders_that_stay_inside_and_apart() -> None:
    for label in ("开心", "joy", "base-dance", "a b"):
        assert folder_name(label) == label
    hostile = [
        "..",
        "",
        ".",
        "/etc",
        "a/b",
        "a\\b",
        "a:b",
        "a_b.",
        "NUL",
        "com1.txt",
        "_x",
        " x",
        "x" * 300,
        "\x00",
        "\u202ex",
    ]
    names = [folder_name(label) for label in hostile]
    for name in names:
        assert name == name.strip("._ ")
        assert len(name.encode()) <= 100
        assert not set(name) & set('/\\:*?"<>|')
        assert name.isprintable()
        assert name.casefold() not in ("nul", "com1.txt", "")
    assert len({*names, folder_name(None)}) == len(hostile) + 1
    assert folder_name("unlabelled") != folder_name(None)


def test_a_set_in_an_object_store_comes_out_as_one_on_a_disk(
    small_root: Path, place: ObjectPath, tmp_path: Path
) -> None:
    for path in (small_root / "t2v").iterdir():
        with written_aside(place / "t2v" / path.name) as aside:
            shutil.copyfile(path, aside)
    config = FormatConfig()
    for root, out in ((place, "far"), (small_root, "near")):
        convert_set(DatasetRoot(root), T2V, str(tmp_path / out), format_name="mds", config=config)
    far, near = ({path.name: path.read_bytes() for path in (tmp_path / out).iterdir()} for out in ("far", "near"))
    assert far == near
    assert len(far) == 3


def test_the_command_says_what_it_wrote_and_refuses_what_will_not_do(small_root: Path, tmp_path: Path) -> None:
    command = Mobius({}, ROOT)
    out = tmp_path / "out"
    done = command.run("export", str(small_root), str(out), "--format", "mds", "--set", "t2i")
    assert (done.returncode, done.stdout) == (0, f"{len(LABELS)} samples of t2i as mds in {out}\n")
    assert f"{len(LABELS)}/{len(LABELS)}" in done.stderr
    again = command.run("export", str(small_root), str(out), "--format", "mds")
    assert (again.returncode, again.stderr.strip().count("\n")) == (USER_ERROR, 0)
    assert "expected a new or empty folder" in again.stderr

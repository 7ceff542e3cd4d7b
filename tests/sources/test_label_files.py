"""Label files: three formats that say the same, and the line that is broken."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import SourceConfig, open_source
from schemas.errors import UserError
from schemas.sample import Sample

Collect = Callable[..., list[Sample]]
Gif = Callable[[int], bytes]


def write_jsonl(folder: Path, *rows: Mapping[str, object]) -> None:
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_three_kinds_of_label_file_say_the_same(tmp_path: Path, collect: Collect, gif: Gif) -> None:
    rows = [
        {"path": "x/é.gif", "label": '笑, "ha"', "by": "me"},
        {"path": "b.gif", "label": "two\nlines", "by": "you"},
    ]
    answers = []
    for kind in ("jsonl", "csv", "parquet"):
        folder = tmp_path / kind / "pile"
        (folder / "x").mkdir(parents=True)
        (folder / "x" / "é.gif").write_bytes(gif(1))
        if kind == "jsonl":
            write_jsonl(folder, *rows)
        elif kind == "csv":
            cells = [",".join('"' + row[name].replace('"', '""') + '"' for name in row) for row in rows]
            (folder / "labels.csv").write_bytes("\ufeffpath,label,by\r\n".encode() + "\r\n".join(cells).encode())
        else:
            pq.write_table(pa.Table.from_pylist(rows), folder / "labels.parquet")
        answers.append(collect(folder))
    assert answers[0] == answers[1] == answers[2]
    assert [sample.reason for sample in answers[0]] == [None, "unreadable"]
    assert answers[0][0].label == '笑, "ha"'


def test_columns_can_have_other_names(three: Path, collect: Collect) -> None:
    (three / "labels.csv").write_text("file,emotion,label\na.gif,joy,7\n")
    [sample] = collect(three, path_column="file", label_column="emotion")
    assert (sample.label, sample.extra) == ("joy", '{"label": "7"}')


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "not JSON at character \\d"),
        (b"[1]", "list, expected a JSON object"),
        (b'{"label": "x"}', "no path"),
        (b'{"path": "", "label": "x"}', "no path"),
        (b'{"path": 3, "label": "x"}', "the path is int, expected text"),
        (b'{"path": "a.gif", "label": 3}', "the label is int, expected text"),
        (b'{"path": "a.gif", "label": ["x"]}', "the label is list, expected text"),
        (b'{"path": "\xff"}', "not UTF-8 at byte 10"),
        (b"[" * 100_000, "nesting beyond all measure"),
        (b'{"path": "a.gif", "n": ' + b"9" * 5000 + b"}", "beyond all measure"),
        (b'{"path": "' + b"x" * (1 << 20) + b'"}', "longer than 1,048,576 bytes"),
    ],
)
def test_a_broken_line_is_named_before_anything_is_read(three: Path, line: bytes, complaint: str) -> None:
    good = b'{"path": "a.gif", "label": "x"}\n'
    (three / "labels.jsonl").write_bytes(good + b"\n" + good + line + b"\n" + good)
    with pytest.raises(UserError, match=rf"labels\.jsonl line 4: .*{complaint}"):
        open_source(SourceConfig(path=str(three)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"file,label\na.gif,x\n", r"labels\.csv line 1: no column 'path', found 'file', 'label'"),
        (b"path,path\na.gif,x\n", r"labels\.csv line 1: two columns share a name"),
        (b"path,label\na.gif,x\nb.gif\n", r"labels\.csv line 3: 1 cells, expected 2"),
        (b"path,label\na.gif,x\nb.gif,y,z\n", r"labels\.csv line 3: 3 cells, expected 2"),
        (b"path,label\na.gif,x\n,y\n", r"labels\.csv line 3: no path"),
        (b'path,label\na.gif,"x\n', r"labels\.csv line 2: not CSV"),
        (b"path,label\na.gif,\xff\n", r"labels\.csv line 2: not UTF-8"),
        (b"path,label\na.gif," + b"x" * 200_000, r"labels\.csv line 2: not CSV: field larger"),
        (b"path,label\n", "lists no file"),
        (b"", "lists no file"),
    ],
)
def test_a_broken_csv_is_named_by_line(three: Path, text: bytes, complaint: str) -> None:
    (three / "labels.csv").write_bytes(text)
    with pytest.raises(UserError, match=complaint):
        open_source(SourceConfig(path=str(three)))


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"path": ["a", None], "label": ["x", "y"]}, r"labels\.parquet row 1: no path"),
        ({"path": [1, 2], "label": ["x", "y"]}, "column 'path' is int64, expected text"),
        ({"path": ["a"], "label": [1.5]}, "column 'label' is double, expected text or whole numbers"),
        ({"file": ["a"], "label": ["x"]}, r"labels\.parquet: no column 'path', found 'file', 'label'"),
    ],
)
def test_a_broken_label_table_is_named_by_row(tmp_path: Path, columns: dict[str, list[object]], complaint: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "labels.parquet")
    with pytest.raises(UserError, match=complaint):
        open_source(SourceConfig(path=str(tmp_path)))


def test_a_damaged_label_table_is_the_users_to_mend(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": [str(number) for number in range(999)]}), tmp_path / "labels.parquet")
    data = bytearray((tmp_path / "labels.parquet").read_bytes())
    data[4:40] = b"\xff" * 36
    (tmp_path / "labels.parquet").write_bytes(data)
    with pytest.raises(UserError, match=r"labels\.parquet: cannot be read as Parquet"):
        open_source(SourceConfig(path=str(tmp_path)))


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv"])
def test_a_label_column_that_somebody_named_must_be_there(three: Path, name: str) -> None:
    (three / name).write_text('{"path": "a.gif"}\n' if name == "labels.jsonl" else "path\na.gif\n")
    assert open_source(SourceConfig(path=str(three))).kind == "labels"
    with pytest.raises(UserError, match="emotion"):
        open_source(SourceConfig(path=str(three), label_column="emotion"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=20), min_size=1, max_size=5))
def test_any_label_survives_arrow_and_ordinary_ones_are_untouched(labels: list[str]) -> None:
    with TemporaryDirectory() as name:
        write_jsonl(Path(name), *({"path": "a.gif", "label": label} for label in labels))
        samples = list(open_source(SourceConfig(path=name)).samples())
    assert len({sample.key for sample in samples}) == len(labels)
    kept = pa.array([sample.label for sample in samples], pa.string()).to_pylist()
    for label, arrived in zip(labels, kept, strict=True):
        if not label:
            assert arrived is None
        elif label.isprintable():
            assert arrived == label
        else:
            assert arrived

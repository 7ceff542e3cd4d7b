"""Parquet files with a column of media: one sample per row, whatever the row holds."""

import datetime
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import UserError
from schemas.sample import Sample, sample_key

Collect = Callable[..., list[Sample]]


def test_rows_are_samples_keyed_by_file_and_row(tmp_path: Path, collect: Collect) -> None:
    pq.write_table(pa.table({"media": [b"2"], "label": ["sad"]}), tmp_path / "b.parquet")
    table = pa.table({"label": ["joy", "", None], "media": [b"0", b"1", None], "n": [1, 2, 3]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    samples = collect(tmp_path, name="pile")
    assert [(sample.path, sample.label, sample.media, sample.extra) for sample in samples] == [
        ("a.parquet#0", "joy", b"0", '{"n": 1}'),
        ("a.parquet#1", None, b"1", '{"n": 2}'),
        ("a.parquet#2", None, None, '{"n": 3}'),
        ("b.parquet#0", "sad", b"2", "{}"),
    ]
    assert (samples[2].reason, samples[2].size_bytes) == ("unreadable", 0)
    assert samples[2].key == sample_key("pile", b"a.parquet#2")
    [alone] = collect(tmp_path / "b.parquet", name="pile")
    assert alone == samples[3]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_every_kind_of_bytes_is_read(tmp_path: Path, collect: Collect, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"media": pa.array([b"GIF89a", b"", None], kind)}), tmp_path / "a.parquet")
    assert [sample.media for sample in collect(tmp_path)] == [b"GIF89a", b"", None]


def test_the_struct_of_hugging_face_is_read_with_its_class_names(tmp_path: Path, collect: Collect) -> None:
    card = {"info": {"features": {"emotion": {"names": ["joy", "anger"], "_type": "ClassLabel"}}}}
    image = pa.array(
        [
            {"bytes": b"0", "path": "a.gif"},
            {"bytes": None, "path": "b.gif"},
            None,
            {"bytes": b"3", "path": None},
        ]
    )
    table = pa.table({"image": image, "emotion": pa.array([1, 0, -1, 7])})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(card)}), tmp_path / "a.parquet")
    samples = collect(tmp_path, bytes_column="image", label_column="emotion")
    assert [(sample.media, sample.label) for sample in samples] == [
        (b"0", "anger"),
        (None, "joy"),
        (None, None),
        (b"3", "7"),
    ]
    assert [sample.extra for sample in samples[:3]] == [
        '{"image.path": "a.gif"}',
        '{"image.path": "b.gif"}',
        "{}",
    ]
    assert samples[1].detail == "the column 'image' has no bytes in this row, only the path 'b.gif'"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array(["joy", None]).dictionary_encode(), ["joy", None]),
        (pa.array(["joy", ""], pa.large_string()), ["joy", None]),
        (pa.array([3, None], pa.int8()), ["3", None]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_labels_may_be_text_dictionaries_or_numbers(
    tmp_path: Path, collect: Collect, labels: pa.Array, expected: list[str | None]
) -> None:
    pq.write_table(pa.table({"media": [b"0", b"1"], "label": labels}), tmp_path / "a.parquet")
    assert [sample.label for sample in collect(tmp_path)] == expected


def test_a_label_that_is_no_utf_8_is_escaped(tmp_path: Path, collect: Collect) -> None:
    offsets = pa.array([0, 4], pa.int32()).buffers()[1]
    label = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(b"caf\xe9"))
    pq.write_table(pa.table({"media": [b"0"], "label": label, "note": label}), tmp_path / "a.parquet")
    [sample] = collect(tmp_path)
    assert (sample.label, sample.extra) == ("caf\\xe9", '{"note": "caf\\\\xe9"}')


def test_further_columns_become_valid_json_and_bytes_stay_out(tmp_path: Path, collect: Collect) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "media": [b"0"],
            "a.b": ["dotted"],
            "big": [2**63 - 1],
            "blob": [b"x"],
            "blobs": [[b"x"]],
            "day": [moment.date()],
            "half": pa.array([1.5], pa.float16()),
            "list": [[1, None]],
            "long": ["x" * 100_000],
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "money": [Decimal("1.50")],
            "nan": [float("nan")],
            "nested": [{"f": float("inf"), "t": moment}],
            "nests": pa.array([[1, None]], pa.list_(pa.timestamp("ns", "UTC"))),
            "nanos": pa.array([1], pa.timestamp("ns")),
            "when": pa.array([moment], pa.timestamp("us", "Asia/Shanghai")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    [sample] = collect(tmp_path)
    extra = json.loads(sample.extra, parse_constant=pytest.fail)
    assert extra == {
        "_dropped": ["long"],
        "a.b": "dotted",
        "big": 2**63 - 1,
        "day": "2024-02-29",
        "half": 1.5,
        "list": [1, None],
        "map": [["k", 1]],
        "money": "1.50",
        "nan": None,
        "nanos": "1970-01-01 00:00:00.000000001",
        "nested": {"f": None, "t": "2024-02-29 12:30:00.000000Z"},
        "nests": ["1970-01-01 00:00:00.000000001Z", None],
        "when": "2024-02-29 12:30:00.000000Z",
    }


@pytest.mark.parametrize(
    ("columns", "settings", "complaint"),
    [
        ({"image": [b"x"]}, {}, r"a\.parquet: no column 'media', found 'image'"),
        ({"media": ["x"]}, {}, r"column 'media' is string, expected bytes or a struct"),
        ({"media": [{"path": "x"}]}, {}, r"column 'media' is struct<path: string>, expected bytes"),
        ({"media": [b"x"]}, {"label_column": "emotion"}, r"no column 'emotion', found 'media'"),
        ({"media": [b"x"], "label": [1.5]}, {}, r"column 'label' is double, expected text or whole numbers"),
    ],
)
def test_columns_that_are_missing_or_of_no_use_are_told_before_anything_is_read(
    tmp_path: Path, columns: dict[str, list[object]], settings: dict[str, object], complaint: str
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=complaint):
        open_source(SourceConfig.model_validate({"path": str(tmp_path), **settings}))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"GIF89a"])
def test_a_file_that_is_no_parquet_is_told_before_anything_is_read(tmp_path: Path, data: bytes) -> None:
    pq.write_table(pa.table({"media": [b"0"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(data)
    with pytest.raises(UserError, match=r"b\.parquet: cannot be read as Parquet"):
        open_source(SourceConfig(path=str(tmp_path)))


def test_rows_hidden_by_damage_are_samples_all_the_same(tmp_path: Path, collect: Collect) -> None:
    media = [bytes([65 + number]) * 1000 for number in range(30)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"media": media}), path, row_group_size=10, use_dictionary=False, compression="none")
    data = bytearray(path.read_bytes())
    start = data.index(media[10])
    data[start - 60 : start] = b"\xff" * 60
    path.write_bytes(data)
    samples = collect(path)
    assert [sample.path for sample in samples] == [f"a.parquet#{row}" for row in range(30)]
    assert [sample.media for sample in samples] == [*media[:10], *[None] * 10, *media[20:]]
    assert {sample.reason for sample in samples[10:20]} == {"unreadable"}
    assert all("damaged" in (sample.detail or "") for sample in samples[10:20])


def test_a_row_over_the_limit_keeps_its_true_size_and_no_bytes(tmp_path: Path, collect: Collect) -> None:
    pq.write_table(pa.table({"media": [bytes(100), bytes(101)]}), tmp_path / "a.parquet")
    samples = collect(tmp_path, max_file_bytes=100)
    assert [(sample.size_bytes, sample.reason) for sample in samples] == [(100, None), (101, "too_large")]


def test_skipping_leaves_out_and_changes_nothing_else(tmp_path: Path, collect: Collect) -> None:
    pq.write_table(pa.table({"media": [b"%d" % n for n in range(200)]}), tmp_path / "a.parquet", row_group_size=70)
    samples = collect(tmp_path)
    assert collect(tmp_path) == samples
    assert collect(tmp_path, skip={sample.key for sample in samples[::2]}) == samples[1::2]


def test_a_row_group_that_is_skipped_whole_is_not_read(
    tmp_path: Path, collect: Collect, bytes_read: Callable[[], int]
) -> None:
    media = [bytes([number]) * (1 << 20) for number in range(12)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"media": media}), path, row_group_size=4, use_dictionary=False, compression="none")
    keys = [sample.key for sample in collect(path)]
    before = bytes_read()
    assert [sample.key for sample in collect(path, skip=set(keys[:8]))] == keys[8:]
    assert 4 << 20 <= bytes_read() - before < 7 << 20


def test_one_row_group_is_never_held_whole(tmp_path: Path) -> None:
    table = pa.table({"media": [bytes([number]) * (1 << 20) for number in range(100)]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, use_dictionary=False, compression="none", write_batch_size=1)
    del table
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in open_source(SourceConfig(path=str(path))).samples()]
    assert len(held) == 100
    assert max(held) < 24 << 20


def test_a_footer_that_claims_more_rows_than_its_row_groups_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"media": [b"0"] * 60}), path, row_group_size=30)
    metadata = pq.read_metadata(path)
    footer = path.read_bytes()
    claimed = b"\x16\x78\x19"  # compact Thrift: field num_rows, 60 as a zigzag number, the list that comes next
    assert (metadata.num_rows, footer.count(claimed)) == (60, 1)
    path.write_bytes(footer.replace(claimed, b"\x16\x7a\x19"))
    with pytest.raises(UserError, match="its row groups have 60 rows, the file claims 61"):
        open_source(SourceConfig(path=str(path)))


def test_a_file_name_that_is_not_utf_8_can_be_read(tmp_path: Path, collect: Collect) -> None:
    pq.write_table(pa.table({"media": [b"0"]}), tmp_path / "a.parquet")
    (tmp_path / "a.parquet").rename(tmp_path / os.fsdecode(b"caf\xe9.parquet"))
    [sample] = collect(tmp_path, name="pile")
    assert (sample.path, sample.media) == ("caf\\xe9.parquet#0", b"0")
    assert sample.key == sample_key("pile", b"caf\xe9.parquet#0")

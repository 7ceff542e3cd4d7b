"""Select decides from numbers alone, and names one reason per rejection."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest

from pipeline.decisions import count_decisions
from pipeline.measured import create_measured, insert_measured
from pipeline.select import POSITIONS, SelectConfig, Selection
from pipeline.select import sweep as sweep_measured

Row = tuple[str, str | None, int, float | None, str]  # key, label, frames, text area, hash


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def fill(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """Create samples, probe, quality and text as pipeline.tables does; text area None = the text stage failed."""
    create_measured(connection, ["00000"])
    connection.execute("CREATE TEMP TABLE samples (key TEXT, shard TEXT, position INT, label TEXT, reason TEXT)")
    connection.execute(
        "CREATE TEMP TABLE probe (key TEXT, status TEXT, num_frames INT, num_distinct_frames INT, "
        "pixels_hash TEXT, timing_hash TEXT)"
    )
    connection.execute(
        "CREATE TEMP TABLE quality (key TEXT, status TEXT, seam_error DOUBLE, max_flashes_per_second DOUBLE, "
        "moving_area DOUBLE, sharpness DOUBLE)"
    )
    connection.execute("CREATE TEMP TABLE text (key TEXT, status TEXT, text_area DOUBLE)")
    for position, (key, label, num_frames, text_area, pixels) in enumerate(rows):
        connection.execute("INSERT INTO samples VALUES (?, '00000', ?, ?, NULL)", [digits(key), position, label])
        connection.execute("INSERT INTO probe VALUES (?, 'ok', ?, 2, ?, 'same')", [digits(key), num_frames, pixels])
        status = "failed" if text_area is None else "ok"
        connection.execute("INSERT INTO text VALUES (?, ?, ?)", [digits(key), status, text_area])
    connection.execute("CREATE TABLE names (name TEXT, key TEXT)")
    connection.executemany("INSERT INTO names VALUES (?, ?)", [[row[0], digits(row[0])] for row in rows])


def add_quality(connection: duckdb.DuckDBPyConnection, name: str, **measures: float | str | None) -> None:
    """Let the quality stage have answered about a sample: a flawless one but for these measures."""
    row = {"seam_error": 0, "max_flashes_per_second": 0, "moving_area": 1, "sharpness": 1, "status": "ok", **measures}
    columns = ", ".join(row)
    connection.execute(
        f"INSERT INTO quality (key, {columns}) VALUES ({', '.join('?' * 6)})", [digits(name), *row.values()]
    )


def digits(name: str) -> str:
    """A key as samples have them, for a name as people read them."""
    return hashlib.md5(name.encode()).hexdigest()


def measure(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM measured")
    insert_measured(connection)


def decide(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> list[dict[str, Any]]:
    """The decisions, with names in the place of keys."""
    measure(connection)
    names = {key: name for name, key in connection.execute("SELECT name, key FROM names").fetchall()}
    rows = Selection(connection, config).decide().to_pylist()
    return [{**row, "key": names[row["key"]], "duplicate_of": names.get(row["duplicate_of"])} for row in rows]


def sweep(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> list[dict[str, float | int]]:
    measure(connection)
    return sweep_measured(connection, config)


def reasons(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> dict[str, tuple[str | None, str | None]]:
    return {row["key"]: (row["t2i_reason"], row["t2v_reason"]) for row in decide(connection, config)}


def test_each_rejection_has_its_reason_and_the_first_rule_wins(connection: duckdb.DuckDBPyConnection) -> None:
    fill(
        connection,
        [
            ("kept", "joy", 9, 0.1, "a"),
            ("copy", "joy", 9, 0.1, "a"),
            ("unlabelled", None, 9, 0.1, "b"),
            ("short", "joy", 4, 0.1, "c"),
            ("short and wordy", "joy", 4, 0.9, "d"),
            ("rare", "awe", 9, 0.1, "e"),
            ("five", "joy", 5, 0.25, "f"),
        ],
    )
    assert reasons(connection, SelectConfig(min_label_count=2)) == {
        "kept": (None, None),
        "copy": ("duplicate", "duplicate"),
        "unlabelled": ("no_label", "no_label"),
        "short": (None, "few_frames"),
        "short and wordy": ("text_area", "few_frames"),
        "rare": (None, "rare_label"),
        "five": (None, None),
    }


def test_labels_are_counted_after_frames_and_text(connection: duckdb.DuckDBPyConnection) -> None:
    fill(
        connection,
        [
            ("a", "joy", 9, 0.0, "a"),
            ("b", "joy", 9, 0.9, "b"),
            ("c", "joy", 2, 0.0, "c"),
            ("d", "joy", 9, None, "d"),
        ],
    )
    assert reasons(connection, SelectConfig(min_label_count=2))["a"] == (None, "rare_label")
    assert reasons(connection, SelectConfig(min_label_count=1))["a"] == (None, None)


def test_labels_of_copies_are_merged_and_any_frequent_one_keeps_the_sample(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, [("a", "awe", 9, 0.0, "x"), ("b", "joy", 9, 0.0, "x"), ("c", "joy", 9, 0.0, "y")])
    rows = {row["key"]: row for row in decide(connection, SelectConfig(min_label_count=2))}
    assert rows["a"]["labels"] == ["awe", "joy"]
    assert rows["b"]["duplicate_of"] == "a"
    assert rows["a"]["t2v_reason"] is None, "joy is seen twice: here and at c"


def test_copies_can_be_kept_and_stage_1_may_have_its_own_text_limit(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, [("a", "joy", 9, 0.6, "x"), ("b", "joy", 9, 0.6, "x")])
    config = SelectConfig(min_label_count=1, drop_duplicates=False, max_text_area_t2i=1.0)
    assert reasons(connection, config) == {"a": (None, "text_area"), "b": (None, "text_area")}


def test_distinct_frames_can_be_counted_instead(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("a", "joy", 9, 0.0, "x")])
    config = SelectConfig(min_label_count=1, count_frames="distinct", min_frames=3)
    assert reasons(connection, config)["a"] == (None, "few_frames"), "9 stored frames, 2 of them distinct"


STRICT = {"max_seam_error": 0.5, "max_flashes_per_second": 3.0, "min_moving_area": 0.1, "min_sharpness": 0.4}


def test_craft_has_thresholds_of_its_own_that_are_off_unless_set(connection: duckdb.DuckDBPyConnection) -> None:
    flaws: dict[str, dict[str, float | None]] = {
        "at every limit": {"seam_error": 0.5, "max_flashes_per_second": 3, "moving_area": 0.1, "sharpness": 0.4},
        "without an edge": {"sharpness": None},
        "blurred": {"sharpness": 0.39, "moving_area": 0},
        "still": {"moving_area": 0.09, "seam_error": 0.9},
        "seam": {"seam_error": 0.51, "max_flashes_per_second": 9},
        "flash": {"max_flashes_per_second": 3.5},
    }
    fill(connection, [(name, "joy", 9, 0.0, name) for name in [*flaws, "not measured yet"]])
    for name, measures in flaws.items():
        add_quality(connection, name, **measures)
    assert set(reasons(connection, SelectConfig(min_label_count=1)).values()) == {(None, None)}
    found = reasons(connection, SelectConfig.model_validate({"min_label_count": 1, **STRICT}))
    assert found == {
        "at every limit": (None, None),
        "without an edge": (None, None),
        "not measured yet": (None, None),
        "blurred": ("blurred", "blurred"),
        "still": (None, "still"),
        "seam": (None, "seam"),
        "flash": (None, "flash"),
    }


def test_labels_are_counted_after_the_thresholds_of_craft_and_the_sweep_knows_them(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, [(str(n), "joy" if n % 2 else "awe", 9, 0.0, str(n)) for n in range(20)])
    for number in range(20):
        add_quality(connection, str(number), seam_error=0.9 if number % 2 and number > 3 else 0.1)
    config = SelectConfig(min_label_count=5, max_seam_error=0.5)
    decided = reasons(connection, config)
    assert {decided["1"], decided["3"]} == {(None, "rare_label")}, "two of joy are left"
    assert decided["5"] == (None, "seam")
    (row,) = (
        row
        for row in sweep(connection, config)
        if (row["min_frames"], row["max_text_area"], row["min_label_count"]) == (5, 0.25, 5)
    )
    assert row["num_samples"] == sum(t2v is None for _, t2v in decided.values()) == 10


def test_what_a_measuring_stage_failed_about_is_in_no_set_and_counts_for_no_label(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, [("a", "joy", 9, 0.0, "x"), ("b", "joy", 9, None, "y"), ("c", "joy", 9, 0.0, "z")])
    add_quality(connection, "c", status="failed", seam_error=None, sharpness=None)
    decided = reasons(connection, SelectConfig(min_label_count=2))
    assert decided == {"a": (None, "rare_label"), "b": ("not_measured",) * 2, "c": ("not_measured",) * 2}


def test_samples_that_failed_before_are_not_decided(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("a", "joy", 9, 0.0, "x"), ("b", "joy", 9, 0.0, "y")])
    connection.execute("UPDATE probe SET status = 'failed' WHERE key = ?", [digits("a")])
    connection.execute("UPDATE samples SET reason = 'unreadable' WHERE key = ?", [digits("b")])
    assert reasons(connection, SelectConfig(min_label_count=1)) == {}


def test_every_chosen_video_is_chosen_as_a_picture_too(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [(str(n), "joy", n % 9, n % 7 / 10, str(n)) for n in range(100)])
    for area_t2i in (None, 0.1, 1.0):
        config = SelectConfig(min_label_count=3, max_text_area=0.3, max_text_area_t2i=area_t2i)
        decided = reasons(connection, config).values()
        assert any(t2v is None for _, t2v in decided)
        assert all(t2i is None for t2i, t2v in decided if t2v is None)


def test_sweep_agrees_with_the_decision_at_every_threshold_it_prints(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    labels = ["joy", "awe", "fear", None]
    rows: list[Row] = [
        (str(n), labels[n % 4] if n % 5 else "rage", n % 13, n % 11 / 20, str(n // 2 if n % 3 else n))
        for n in range(200)
    ]
    fill(connection, rows)
    say(connection, **{str(n): "keep" if n % 2 else "reject" for n in range(0, 200, 17)})
    connection.execute("UPDATE text SET status = 'failed' WHERE key = ?", [digits("17")])
    swept = sweep(connection, SelectConfig(min_label_count=7, max_text_area_t2i=0.2))
    assert {7, 1001} <= {row["min_label_count"] for row in swept}
    for row in swept[:: max(len(swept) // 12, 1)]:
        config = SelectConfig(
            min_frames=int(row["min_frames"]),
            max_text_area=row["max_text_area"],
            max_text_area_t2i=0.2,
            min_label_count=int(row["min_label_count"]),
        )
        kept = [name for name, (_, t2v) in reasons(connection, config).items() if t2v is None and name != "17"]
        assert len(kept) == row["num_samples"], row


def test_samples_without_a_label_may_be_kept(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("a", None, 9, 0.0, "x"), ("b", None, 9, 0.0, "y")])
    assert reasons(connection, SelectConfig(min_label_count=2, require_label=False)) == {
        "a": (None, None),
        "b": (None, None),
    }


def say(connection: duckdb.DuckDBPyConnection, **verdicts: str) -> None:
    """Let people say `reject` or `keep` about samples."""
    connection.execute("DELETE FROM verdicts")
    for name, verdict in verdicts.items():
        connection.execute("INSERT INTO verdicts VALUES (?::UUID, ?)", [digits(name), verdict])


def test_what_people_say_goes_before_every_threshold(connection: duckdb.DuckDBPyConnection) -> None:
    fill(
        connection,
        [
            ("good", "joy", 9, 0.0, "a"),
            ("bad", "joy", 9, 0.0, "b"),
            ("wordy", "joy", 9, 0.9, "c"),
            ("short", "joy", 3, 0.0, "d"),
            ("unlabelled", None, 9, 0.0, "e"),
            ("rare", "awe", 9, 0.0, "f"),
            ("still", "joy", 1, 0.9, "g"),
        ],
    )
    connection.execute("UPDATE probe SET num_distinct_frames = 1 WHERE key = ?", [digits("still")])
    kept = dict.fromkeys(("wordy", "short", "unlabelled", "rare", "still"), "keep")
    say(connection, bad="reject", **kept)
    assert reasons(connection, SelectConfig(min_label_count=2)) == {
        "good": (None, None),
        "bad": ("reviewed_out", "reviewed_out"),
        **dict.fromkeys(kept, (None, None)),
        "still": (None, "few_frames"),
    }


def test_labels_are_counted_with_what_is_kept_by_hand_and_without_what_is_rejected(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows: list[Row] = [("a", "joy", 9, 0.0, "a"), ("b", "joy", 9, 0.0, "b"), ("c", "joy", 9, 0.9, "c")]
    fill(connection, rows)
    say(connection, b="reject")
    assert reasons(connection, SelectConfig(min_label_count=2))["a"] == (None, "rare_label")
    say(connection, b="reject", c="keep")
    assert reasons(connection, SelectConfig(min_label_count=2))["a"] == (None, None)
    connection.execute("UPDATE text SET status = 'failed' WHERE key = ?", [digits("c")])
    assert reasons(connection, SelectConfig(min_label_count=2))["a"] == (None, "rare_label"), "c is quarantined"


def test_a_copy_that_is_kept_by_hand_stands_for_the_others(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("a", "awe", 9, 0.0, "x"), ("b", "joy", 9, 0.0, "x"), ("c", "joy", 9, 0.0, "x")])
    config = SelectConfig(min_label_count=1)
    duplicate, out = ("duplicate", "duplicate"), ("reviewed_out", "reviewed_out")
    say(connection, b="keep")
    assert reasons(connection, config) == {"a": duplicate, "b": (None, None), "c": duplicate}
    say(connection, a="reject")
    assert reasons(connection, config) == {"a": out, "b": duplicate, "c": duplicate}, "the picture is out"
    say(connection, a="reject", c="keep")
    assert reasons(connection, config) == {"a": out, "b": duplicate, "c": (None, None)}
    assert {tuple(row["labels"]) for row in decide(connection, config)} == {("joy",)}, "awe went with a"


def test_captions_that_people_wrote_come_with_the_decision(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("a", "joy", 9, 0.0, "x"), ("b", "joy", 9, 0.0, "y")])
    captions = [{"field": "summary", "text": "it's a cat", "reviewer": "ann"}]
    connection.execute("INSERT INTO own_captions VALUES (?::UUID, ?)", [digits("b"), captions])
    rows = decide(connection, SelectConfig(min_label_count=1))
    assert [row["captions"] for row in rows] == [None, captions]


def test_decisions_of_some_shards_are_those_of_all_of_them_in_part(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [(str(n), "joy", n % 9, n % 7 / 10, str(n // 2)) for n in range(60)])
    measure(connection)
    connection.execute(f"UPDATE measured SET ordinal = ordinal + {POSITIONS} WHERE ordinal >= 25")
    connection.execute("INSERT INTO shards VALUES (1, '00001')")
    selection = Selection(connection, SelectConfig(min_label_count=3))
    first, second = selection.decide(0, POSITIONS), selection.decide(POSITIONS, 2 * POSITIONS)
    assert (first.num_rows, second.num_rows) == (25, 35)
    assert set(first["shard"].to_pylist()) | {"00001"} == {"00000", *second["shard"].to_pylist()}
    assert first.to_pylist() + second.to_pylist() == selection.decide().to_pylist()


def test_counts_are_those_of_the_decisions(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [(str(n), "joy", n % 9, n % 7 / 10, str(n // 2)) for n in range(60)])
    config = SelectConfig(min_label_count=3)
    decided = reasons(connection, config).values()
    count = count_decisions(Selection(connection, config))
    assert count.chosen == {
        "t2i": sum(t2i is None for t2i, _ in decided),
        "t2v": sum(t2v is None for _, t2v in decided),
    }
    assert sum(count.rejected["t2v"].values()) + count.chosen["t2v"] == len(decided)
    assert set(count.rejected["t2v"]) == {"duplicate", "few_frames", "text_area"}

"""Review decisions: everybody's are kept, the later stands, and nobody has to wait for anybody."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.review import parts
from pipeline.review.adopt import adopt_review, adopted_digest
from pipeline.review.decision_file import read_decision_file
from pipeline.review.keys import find_unknown_keys
from pipeline.review.parts import append_decisions
from pipeline.review.standing import read_decisions
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.location import ObjectPath
from schemas.review import ReviewDecision
from schemas.storage import list_sizes
from tests.conftest import ROOT

KEY, OTHER = "a" * 32, "b" * 32
NUM_APPENDS = 40


def say(root: DatasetRoot, action: str, reviewer: str = "ann", *, key: str = KEY, **others: Any) -> ReviewDecision:
    decision = ReviewDecision.model_validate({"key": key, "action": action, "reviewer": reviewer, **others})
    append_decisions(root, [decision])
    return decision


def standing(root: DatasetRoot) -> list[tuple[str, str, str | None]]:
    """Who, what and which text of the decisions that stand, the latest first."""
    return [(row["reviewer"], row["action"], row["text"]) for row in read_decisions(root) if row["stands"]]


@pytest.fixture
def root(tmp_path: Path) -> DatasetRoot:
    return DatasetRoot(tmp_path / "root")


@pytest.fixture(params=["disk", "store"])
def any_root(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetRoot:
    if request.param == "disk":
        return DatasetRoot(tmp_path / "root")
    place: ObjectPath = request.getfixturevalue("place")
    return DatasetRoot(place)


def test_of_two_people_both_are_kept_and_the_later_stands(any_root: DatasetRoot) -> None:
    say(any_root, "reject", "ann", note="blurred")
    say(any_root, "keep", "bob")
    say(any_root, "reject", "eve", key=OTHER)
    rows = list(read_decisions(any_root, [KEY]))
    assert [(row["reviewer"], row["action"], row["note"], row["stands"]) for row in rows] == [
        ("bob", "keep", None, True),
        ("ann", "reject", "blurred", False),
    ]
    assert len({row["id"] for row in read_decisions(any_root)}) == 3
    digest = adopt_review(any_root)
    assert digest
    assert adopted_digest(any_root) == digest


def test_time_decides_and_not_who_wrote_first(root: DatasetRoot) -> None:
    say(root, "keep", "late", time="2026-02-01T00:00:00+01:00")
    say(root, "reject", "early", time="2026-01-31T22:59:59Z")
    assert standing(root) == [("late", "keep", None)]
    times = [row["time"] for row in read_decisions(root)]
    assert times == ["2026-01-31T23:00:00.000000Z", "2026-01-31T22:59:59.000000Z"]


def test_at_the_same_moment_the_last_in_order_stands(root: DatasetRoot) -> None:
    moment = "2026-01-01T00:00:00Z"
    many = [
        ReviewDecision(key=KEY, action="caption", field="summary", text=str(n), reviewer="ann", time=moment)
        for n in range(12)
    ]
    append_decisions(root, many)
    assert standing(root) == [("ann", "caption", "11")]
    say(root, "caption", field="summary", text="another part", time=moment)
    assert standing(root) == [("ann", "caption", "another part")]


def test_a_verdict_and_each_caption_are_subjects_of_their_own(root: DatasetRoot) -> None:
    say(root, "keep")
    say(root, "caption", field="image_caption", text="a cat")
    say(root, "caption", field="summary_zh", text="一只猫")
    assert len(standing(root)) == 3
    say(root, "clear", field="image_caption")
    assert [each[1:] for each in standing(root)] == [("clear", None), ("caption", "一只猫"), ("keep", None)]
    say(root, "clear", field="verdict")
    say(root, "clear", "bob")
    assert standing(root) == [("bob", "clear", None)]
    assert sum(1 for _ in read_decisions(root)) == 6, "what was taken back is kept"


def test_the_digest_is_that_of_what_stands(root: DatasetRoot) -> None:
    assert adopt_review(root) == ""
    assert not root.adopted_review_path.exists()
    say(root, "keep", "ann")
    kept = adopt_review(root)
    say(root, "keep", "bob", note="I think so too")
    assert adopt_review(root) == kept, "nothing that is made of it changes"
    say(root, "caption", field="summary", text="a cat")
    captioned = adopt_review(root)
    say(root, "caption", "bob", field="summary", text="a cat")
    assert len({"", kept, captioned, adopt_review(root)}) == 4, "who wrote a caption is exported"
    say(root, "clear")
    assert adopt_review(root) == adopted_digest(root) == ""


def test_many_small_parts_become_one_and_nothing_changes(
    any_root: DatasetRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 6
    monkeypatch.setattr(parts, "MAX_SMALL_PARTS", most)
    actions = ("keep", "reject", "clear")
    said = [say(any_root, actions[n % 3], f"p{n % 5}", note=str(n)) for n in range(most)]
    before, digest = list(read_decisions(any_root)), adopt_review(any_root)
    assert len(list_sizes(any_root.review)) == most
    said.append(say(any_root, actions[(most - 1) % 3], f"p{(most - 1) % 5}"))
    assert len(list_sizes(any_root.review)) == 1
    after = list(read_decisions(any_root))
    assert [{**row, "stands": None} for row in after[1:]] == [{**row, "stands": None} for row in before]
    assert [row["time"] for row in reversed(after)] == [each.time for each in said]
    assert adopt_review(any_root) == digest


def test_a_kill_between_joining_and_removing_counts_nothing_twice(root: DatasetRoot) -> None:
    say(root, "keep")
    (part,) = list_sizes(root.review)
    (root.path / "review" / f"{part[:16]}-ffffffffffff.parquet").write_bytes((root.review / part).read_bytes())
    assert len(list(read_decisions(root))) == 1


APPEND = """
import sys
from pathlib import Path
from pipeline.review.parts import append_decisions
from pipeline.root import DatasetRoot
from schemas.review import ReviewDecision

root, reviewer, num = DatasetRoot(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(num):
    append_decisions(root, [ReviewDecision(key="a" * 32, action="keep", reviewer=reviewer, note=str(number))])
"""


def test_two_processes_that_append_and_join_at_the_same_time_lose_nothing(root: DatasetRoot) -> None:
    people = ("ann", "bob")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(root.path), name, str(NUM_APPENDS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in people
    ]
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    done = [each.communicate("go\n") for each in writers]
    assert [each.returncode for each in writers] == [0, 0], done
    said = [(row["reviewer"], row["note"]) for row in read_decisions(root)]
    assert len(said) == 2 * NUM_APPENDS
    assert set(said) == {(name, str(number)) for name in people for number in range(NUM_APPENDS)}
    assert len(list_sizes(root.review)) < NUM_APPENDS, "they were joined meanwhile"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"key": "A" * 32}, "32 hex digits"),
        ({"key": "'; DROP TABLE said; --"}, "32 hex digits"),
        ({"action": "delete"}, "'reject', 'keep', 'caption' or 'clear'"),
        ({"action": "caption", "field": "image_caption"}, "needs a text"),
        ({"action": "caption", "text": "a cat"}, "a field"),
        ({"action": "caption", "field": "label", "text": "a cat"}, "'image_caption'"),
        ({"action": "caption", "field": "verdict", "text": "a cat"}, "a field"),
        ({"text": "a cat"}, "takes no text"),
        ({"field": "summary"}, "takes no field"),
        ({"note": "two\nlines"}, "U+000A"),
        ({"reviewer": "\x1b[31mred"}, "U+001B"),
        ({"reviewer": " "}, "is empty"),
        ({"note": "turned \u202e round"}, "U+202E"),
        ({"note": "x" * 1001}, "at most 1000"),
        ({"time": "yesterday"}, "is no time"),
        ({"time": "2026-01-01T00:00:00"}, "no time zone"),
        ({"time": "2999-01-01T00:00:00Z"}, "lies ahead"),
        ({"owner": "me"}, "Extra inputs"),
    ],
)
def test_what_is_no_decision_is_refused(fields: dict[str, str], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected.replace("+", r"\+")):
        ReviewDecision.model_validate({"key": KEY, "action": "reject", "reviewer": "ann", **fields})


def test_texts_are_stored_as_they_were_typed(root: DatasetRoot) -> None:
    text = "<script>alert('x')</script> '); DROP TABLE said; -- 👩‍👩‍👧 开心"
    say(root, "caption", field="summary", text=f"  {text} ")
    assert standing(root) == [("ann", "caption", text)]


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_of_decisions_is_what_a_listing_gives(root: DatasetRoot, tmp_path: Path) -> None:
    say(root, "reject", "ann")
    say(root, "caption", "bob", field="summary", text="一只猫")
    listed = [{name: value for name, value in row.items() if name != "stands"} for row in read_decisions(root)]
    file = write_lines(tmp_path / "all.jsonl", ["", *(json.dumps(row) for row in listed)])
    another = DatasetRoot(tmp_path / "another")
    for _ in range(2):
        assert append_decisions(another, read_decision_file(file, reviewer="nobody")) == 2
    assert list(read_decisions(another)) == list(read_decisions(root)), "imported twice, there once"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "line 2: no JSON object"),
        ("[1]", "line 2: no JSON object"),
        (f'{{"key": "{KEY}", "action": "shred"}}', "line 2: action: input should be"),
        (f'{{"key": "{KEY}", "action": "keep", "whom": 1}}', "line 2: whom: unknown, expected one of key, action"),
        (f'{{"key": "{KEY}", "action": "keep", "note": "{"x" * 70_000}"}}', "line 2: longer than"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_of_the_file_is_written(
    root: DatasetRoot, tmp_path: Path, line: str, expected: str
) -> None:
    file = write_lines(tmp_path / "some.jsonl", [f'{{"key": "{KEY}", "action": "keep"}}', line])
    with pytest.raises(UserError, match=expected):
        append_decisions(root, read_decision_file(file, reviewer="ann"))
    assert list_sizes(root.review) == {}


def test_without_samples_no_key_is_known(root: DatasetRoot) -> None:
    assert find_unknown_keys(root, [OTHER, KEY, KEY]) == [KEY, OTHER]

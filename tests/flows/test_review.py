"""Review: what people decided holds after a resume, on another engine, with new data, and until it is taken back."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.runs import read_last_run
from pipeline.answers import count_rows
from pipeline.decisions import count_decisions, write_decisions
from pipeline.export.columns import T2I, T2V, TRAINING_SETS
from pipeline.export.finish import find_work
from pipeline.ledger import read_ledger
from pipeline.measured import open_measured
from pipeline.review.adopt import adopt_review
from pipeline.review.parts import append_decisions
from pipeline.review.standing import load_standing, read_decisions
from pipeline.root import DatasetRoot
from pipeline.select import Selection
from schemas.errors import UserError
from schemas.review import ReviewDecision
from tests.flows.mobius import Mobius, read_set
from tests.media.gifs import encode_gif

SETTINGS = ("select.min_label_count=1", "text.max_frames_read=1", "engine.workers=1")
NAMES = ("good", "bad", "captioned", "short", "later")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review") / "source" / "joy"
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES[:-1]):
        draw(folder / f"{name}.gif", number, num_frames=3 if name == "short" else 6)
    (folder / "broken.gif").write_bytes(b"GIF89a, and no more")
    return folder.parent


def draw(path: Path, number: int, *, num_frames: int = 6) -> None:
    path.write_bytes(encode_gif([(50 * number, 200, 40 * step) for step in range(num_frames)], size=24))


@pytest.fixture(scope="module")
def before(mobius: Mobius, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that nobody has looked at."""
    root = tmp_path_factory.mktemp("before") / "dataset"
    ledger = mobius.curate(root, source, *SETTINGS, "engine.name=threads")
    assert ledger["exported"] == {"t2i": 4, "t2v": 3}
    return root


def keys_by_name(root: Path) -> dict[str, str]:
    return {Path(row["path"]).stem: row["key"] for row in pq.read_table(root / "fates.parquet").to_pylist()}


def say(root: Path, name: str, action: str, reviewer: str = "ann", **others: Any) -> None:
    fields = {"key": keys_by_name(root)[name], "action": action, "reviewer": reviewer, **others}
    append_decisions(DatasetRoot(root), [ReviewDecision.model_validate(fields)])


@pytest.fixture(scope="module")
def after(mobius: Mobius, source: Path, before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same root after two people have looked, one file came in, and the same command ran on another engine."""
    root = tmp_path_factory.mktemp("after") / "dataset"
    shutil.copytree(before, root)
    say(root, "bad", "keep", "bob")
    say(root, "bad", "reject", note="blurred")
    say(root, "short", "keep")
    say(root, "broken", "keep")
    say(root, "captioned", "caption", field="summary", text="colours change")
    draw(source / "joy" / "later.gif", 4)
    ledger = mobius.curate(root, source, *SETTINGS, "engine.name=processes")
    assert ledger["balanced"]
    return root


def answers(root: Path) -> dict[str, int]:
    return {folder.name: count_rows(folder) for folder in sorted((root / "stages").iterdir())}


def test_the_account_has_what_people_decided(after: Path) -> None:
    config, plans = read_last_run(DatasetRoot(after))
    ledger = read_ledger(DatasetRoot(after), config.select, plans)
    assert ledger.exported == {"t2i": 4, "t2v": 4}, "without `bad`, with `later`, in t2v also with `short`"
    assert (ledger.rejected, ledger.pending) == ({"reviewed_out": 1}, 0)
    assert ledger.sets["t2v"].rejected == {"reviewed_out": 1}
    assert ledger.quarantined == {"probe": {"no_frames": 1}}, "nobody can keep what cannot be decoded"
    fates = {Path(row["path"]).stem: row for row in pq.read_table(after / "fates.parquet").to_pylist()}
    assert (fates["bad"]["fate"], fates["bad"]["why"]) == ("rejected", "reviewed_out")
    for name in TRAINING_SETS:
        assert {Path(row["path"]).stem for row in read_set(after, name)} == {"good", "captioned", "short", "later"}


def test_only_what_is_new_or_newly_kept_is_asked(before: Path, after: Path) -> None:
    added = {name: num - answers(before)[name] for name, num in answers(after).items()}
    assert answers(before).keys() == added.keys(), "no fingerprint changed"
    by_stage = {name.rpartition("-")[0]: num for name, num in added.items()}
    only_later = dict.fromkeys(("probe", "quality", "text", "clean", "image_caption"), 1)
    assert by_stage == {**only_later, "video_caption": 2, "summary": 2, "translation": 2}, "`later` and `short`"


def test_a_caption_written_by_hand_is_exported_and_the_answer_stays(before: Path, after: Path) -> None:
    old, new = ({Path(row["path"]).stem: row for row in read_set(root, "t2v")} for root in (before, after))
    row = new["captioned"]
    assert (row["summary"], row["summary_model"]) == ("colours change", "review/ann")
    assert json.loads(row["reviewed"]) == {"by": {"summary": "ann"}, "outdated": ["summary_zh"]}
    assert {name for name in row if row[name] != old["captioned"][name]} == {"summary", "summary_model", "reviewed"}
    assert new["good"] == old["good"]
    (folder,) = (after / "stages").glob("summary-*")
    stored = [row["summary"] for part in folder.glob("*.parquet") for row in pq.read_table(part).to_pylist()]
    assert old["captioned"]["summary"] in stored
    assert "colours change" not in stored
    assert "`summary_model`: review/ann" in (after / "t2v" / "README.md").read_text()


def work(root: Path) -> dict[str, str | None]:
    """Do what a run does between its stages, and return the digest of each export that is to be written anew."""
    dataset = DatasetRoot(root)
    config, _ = read_last_run(dataset)
    adopt_review(dataset)
    write_decisions(dataset, config)
    planned = {name: find_work(dataset, config, each) for name, each in TRAINING_SETS.items()}
    return {name: plan.digest if plan else None for name, plan in planned.items()}


def test_exports_are_written_anew_when_and_only_when_something_else_stands(
    before: Path, after: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(after, tmp_path / "dataset"))
    decisions = (root / "select" / "decisions.parquet").read_bytes()
    say(root, "bad", "reject", "eve", note="so do I think")
    assert work(root) == {"t2i": None, "t2v": None}
    assert (root / "select" / "decisions.parquet").read_bytes() == decisions
    say(root, "bad", "caption", field="image_caption", text="it is out anyway")
    assert work(root) == {"t2i": None, "t2v": None}
    say(root, "good", "caption", field="video_caption_zh", text="颜色变化")
    planned = work(root)
    assert planned["t2i"] is None, "it has no video captions"
    assert planned["t2v"] is not None

    root = Path(shutil.copytree(before, tmp_path / "untouched"))
    said = [("bad", "reject"), ("bad", "clear"), ("short", "keep"), ("short", "clear")]
    for name, action in said:
        say(root, name, action)
    assert work(root) == {"t2i": None, "t2v": None}, "all was taken back"
    assert len(list(read_decisions(DatasetRoot(root)))) == 4
    say(root, "bad", "reject")
    assert {name for name, digest in work(root).items() if digest} == {T2I.name, T2V.name}
    say(root, "bad", "clear")
    assert work(root) == {"t2i": None, "t2v": None}


def test_what_is_said_while_a_run_goes_on_counts_in_the_next(before: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(before, tmp_path / "dataset"))
    dataset = DatasetRoot(root)
    config, plans = read_last_run(dataset)
    adopt_review(dataset)
    say(root, "good", "reject")
    count = write_decisions(dataset, config)
    assert count.rejected["t2i"] == {}
    assert [find_work(dataset, config, each) for each in TRAINING_SETS.values()] == [None, None]
    assert read_ledger(dataset, config.select, plans).balanced
    with open_measured(dataset, plans, load_review=load_standing) as measured:
        assert count_decisions(Selection(measured, config.select)).rejected["t2i"] == {"reviewed_out": 1}


@pytest.fixture
def root(before: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(before, tmp_path / "dataset"))


def review(root: Path, *arguments: str) -> str:
    """Run the command and return what it printed; what it complains of is raised."""
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["review", str(root), *arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_the_command_stores_what_one_person_says_and_lists_what_all_said(root: Path, tmp_path: Path) -> None:
    keys = keys_by_name(root)
    assert "1 decision written" in review(root, keys["bad"], "--reject", "--by", "ann", "--note", "[red]blurred")
    said = review(root, keys["good"], "--caption", "a colour that turns", "--by", "ann")
    assert "image_caption_zh, summary, summary_zh stay as models made them" in said
    lines = [{"key": keys[name], "action": "keep", "reviewer": name} for name in ("bad", "short", "good")]
    file = tmp_path / "said.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert "3 decisions written" in review(root, "--file", str(file))
    rows = json.loads(review(root, "--list", "--json"))
    assert [(row["reviewer"], row["action"], row["field"], row["stands"]) for row in rows] == [
        ("good", "keep", None, True),
        ("short", "keep", None, True),
        ("bad", "keep", None, True),
        ("ann", "caption", "image_caption", True),
        ("ann", "reject", None, False),
    ]
    assert [row["note"] for row in json.loads(review(root, keys["bad"], "--list", "--json"))] == [None, "[red]blurred"]
    assert "[red]blurred" in review(root, "--list")
    assert len(json.loads(review(root, "--list", "--json", "--limit", "2"))) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "expected one of --reject, --keep"),
        (("KEY",), "expected one of --reject, --keep"),
        (("KEY", "--reject", "--keep"), "expected one of --reject, --keep"),
        (("--reject",), "expected a KEY"),
        (("KEY", "--file", "FILE"), "expected a KEY, or a --file"),
        (("f" * 32, "--reject"), "f{32}: no sample of .*; `mobius fates"),
        (("joy/good.gif", "--reject"), "review: key: expected 32 hex digits"),
        (("KEY", "--caption", "a cat", "--field", "label"), "review: field: input should be 'image_caption'"),
        (("KEY", "--caption", "a\ncat"), "review: text: holds U\\+000A"),
        (("KEY", "--reject", "--field", "summary"), "takes no field"),
        (("--file", "FILE"), "f{32}: no sample of"),
        (("--file", "none.jsonl"), "none.jsonl: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_nothing_is_written(
    root: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    key, file = keys_by_name(root)["good"], tmp_path / "said.jsonl"
    lines = [{"key": key, "action": "keep"}, {"key": "f" * 32, "action": "keep"}]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    meant = {"KEY": key, "FILE": str(file)}
    with pytest.raises(UserError, match=sentence):
        review(root, *(meant.get(each, each) for each in arguments), "--by", "ann")
    assert not (root / "review").exists()

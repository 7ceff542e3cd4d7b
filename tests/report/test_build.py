"""A report as files: what it counts, what it holds, and where it may go."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import read_ledger
from pipeline.plan import plan_stages
from pipeline.report.build import build_report
from pipeline.report.funnel import funnel_steps
from pipeline.report.survey import survey_root
from schemas.errors import UserError
from tests.report.conftest import Made

PREFIX = re.compile(r"mobius\.receive\(\"\w+\",(.*)\);\n", re.DOTALL)


def read_script(path: Path) -> Any:
    match = PREFIX.fullmatch(path.read_text())
    assert match, path
    return json.loads(match[1])


def read_samples(made: Made) -> dict[str, dict[str, Any]]:
    return {each["path"]: each for each in read_script(made.index.parent / "data" / "samples-0.js")}


def test_the_funnel_agrees_with_the_account(made: Made) -> None:
    plans = plan_stages(made.config)
    ledger = read_ledger(made.root, made.config.select, plans)
    survey = survey_root(made.root, made.config, plans, num_samples=3)
    for name, count in ledger.sets.items():
        steps = funnel_steps(name, survey.fates[name])
        losses = [loss for step in steps for loss in step.losses]
        assert steps[0].num_left == ledger.ingested == 10
        assert steps[-1].num_left == count.exported
        rejected = {loss.reason: loss.num for loss in losses if loss.fate == "rejected"}
        assert rejected == count.rejected
        quarantined = {(loss.stage, loss.reason): loss.num for loss in losses if loss.fate == "quarantined"}
        assert quarantined == {
            (stage, reason): num for stage, reasons in count.quarantined.items() for reason, num in reasons.items()
        }
        assert sum(loss.num for loss in losses if loss.fate == "pending") == count.pending
    assert sum(survey.num_by_outcome().values()) == ledger.ingested
    assert ledger.quarantined == {"probe": {"corrupt": 1, "unknown_format": 1}}


def test_every_file_has_a_record_that_says_why(made: Made) -> None:
    samples = read_samples(made)
    assert len(samples) == 10
    reasons = {path: each["out_reason"] for path, each in samples.items()}
    assert reasons["copy of red.gif"] == "duplicate"
    assert reasons["nameless.gif"] == "no_label"
    assert samples["still.gif"]["t2v_reason"] == "few_frames"
    assert samples["teal.gif"]["t2v_reason"] == "rare_label"
    assert samples["copy of red.gif"]["duplicate_of"] == samples["red.gif"]["key"]
    kept = samples["green.gif"]
    assert [each["kind"] for each in kept["captions"]] == ["picture", "motion", "summary"]
    assert all(each["en"] and each["zh"] for each in kept["captions"])


def test_bytes_that_the_probe_refused_are_not_in_the_report(made: Made) -> None:
    samples = read_samples(made)
    names = {path.name for path in (made.index.parent / "media").iterdir()}
    for path in ("broken.gif", "page.gif"):
        assert set(samples[path]["pictures"].values()) == {None}
        assert not any(name.startswith(samples[path]["key"]) for name in names)
    assert samples["page.gif"]["head"].startswith("3c 68 74 6d 6c")
    assert f"{samples['green.gif']['key']}.gif" in names
    assert all(re.fullmatch(r"[0-9a-f]{32}\.(gif|still\.webp|clean\.webp|mask\.png)", name) for name in names)


def test_no_file_of_the_report_can_be_ended_by_a_text(made: Made) -> None:
    for path in [made.index, *(made.index.parent / "data").iterdir()]:
        text = path.read_text()
        assert "<img src=x" not in text
        assert "</script><script>document" not in text
        assert "\u2028" not in text


def test_a_folder_that_is_no_report_is_left_alone(made: Made, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    plans = plan_stages(made.config)
    with pytest.raises(UserError, match="no report of this project"):
        build_report(made.root, made.config, plans, runs=[], out=tmp_path, num_samples=1)
    with pytest.raises(UserError, match="a file"):
        build_report(made.root, made.config, plans, runs=[], out=tmp_path / "thesis.txt", num_samples=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_new_report_takes_the_place_of_the_last_one(made: Made, tmp_path: Path) -> None:
    out, plans = tmp_path / "report", plan_stages(made.config)
    build_report(made.root, made.config, plans, runs=[], out=out, num_samples=100)
    first = set((out / "media").iterdir())
    built = build_report(made.root, made.config, plans, runs=[], out=out, num_samples=2)
    assert built.num_shown < built.num_samples == 10
    assert set((out / "media").iterdir()) < first
    assert [path.name for path in tmp_path.iterdir()] == ["report"], "nothing is left aside"


def test_a_root_in_which_nothing_was_answered_yet_has_a_report(made: Made, tmp_path: Path) -> None:
    """Every stage is pending under these settings."""
    config = made.config.model_copy(
        update={
            "probe": made.config.probe.model_copy(
                update={"limits": made.config.probe.limits.model_copy(update={"max_frames": 77})}
            )
        }
    )
    out = tmp_path / "report"
    build_report(made.root, config, plan_stages(config), runs=[], out=out, num_samples=100)
    samples = read_script(out / "data" / "samples-0.js")
    assert {each["outcome"] for each in samples} == {"pending"}


def test_in_a_store_the_report_is_read_from_there_and_put_there(made: Made, place: Any, tmp_path: Path) -> None:
    out = place / "report"
    build_report(made.root, made.config, plan_stages(made.config), runs=[], out=out, num_samples=2)
    assert (out / "index.html").read_bytes().startswith(b"<!doctype html>")
    assert (out / "assets" / "base.css").exists()

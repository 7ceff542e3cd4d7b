"""Time left: measured rates times what is still to come; what nobody measured is named."""

import json
from pathlib import Path

import pytest

from flows.pace import History, Measured, TimeLeft, duration, read_history, time_left
from pipeline.root import DatasetRoot


def test_stages_to_come_take_as_long_per_sample_as_they_took_before() -> None:
    history = History(
        measured={"clean": Measured(samples=100, seconds=50.0, workers=4), "summary": Measured(10, 20.0, 1)},
        shares={"clean": 0.5, "summary": 0.1},
    )
    done = {"clean": 200, "summary": 0}
    left = time_left(
        60.0,
        to_come=["clean", "summary"],
        history=history,
        workers=8,
        num_ingested=1000,
        count_done=lambda name: done[name],
    )
    clean = (0.5 * 1000 - 200) * (50.0 * 4 / 100) / 8
    summary = 0.1 * 1000 * 2.0 / 8
    assert left == TimeLeft(60.0, pytest.approx(60.0 + clean + summary))


def test_what_was_never_measured_is_named_and_not_guessed() -> None:
    history = History(measured={"clean": Measured(1, 1.0, 1)}, shares={"clean": 1.0})
    known = {"history": history, "workers": 1, "num_ingested": 10, "count_done": lambda name: 0}
    left = time_left(5.0, to_come=["clean", "export t2v"], **known)
    assert left == TimeLeft(5.0, 15.0, ("export t2v",))
    assert time_left(None, to_come=["clean"], **known) == TimeLeft(None, None)


def test_more_done_than_expected_leaves_nothing() -> None:
    history = History(measured={"clean": Measured(1, 1.0, 1)}, shares={"clean": 0.5})
    known = {"history": history, "workers": 1, "num_ingested": 10, "count_done": lambda name: 9}
    assert time_left(0.0, to_come=["clean"], **known).run == 0.0


def test_history_is_what_the_newest_records_and_the_account_say(tmp_path: Path) -> None:
    root = DatasetRoot(tmp_path)
    assert read_history(root) == History()
    (tmp_path / "runs").mkdir()
    for name, seconds in (("1", 10.0), ("2", 20.0)):
        record = {"measured": {"text": {"samples": 5, "seconds": seconds, "workers": 2}}}
        (tmp_path / "runs" / f"{name}.json").write_text(json.dumps(record))
    (tmp_path / "runs" / "3.json").write_text("cut of")
    (tmp_path / "runs" / "4.json").write_text('{"measured": {"text": {"unknown": 1}}}')
    stages = {"text": {"ok": 6, "failed": {"corrupt": 2}, "pending": 0, "seconds": 1.0}}
    sets = {"exported": {"t2v": 4}, "rejected": {}, "quarantined": {}, "pending": 0, "sets": {}, "disagreements": []}
    ledger = {"ingested": 16, "balanced": True, "stages": stages, **sets}
    (tmp_path / "account.json").write_text(json.dumps({"state": "", "ledger": ledger}))
    assert read_history(root) == History({"text": Measured(5, 20.0, 2)}, {"text": 0.5, "export t2v": 0.25})


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7300, "2 h 1 min"), (180_000, "2 d 2 h")]
)
def test_durations_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said

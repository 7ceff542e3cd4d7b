"""The log of a run: the same lines however often the run was stopped."""

import json
from pathlib import Path

from mobius_model.training.log import TrainLog


def test_steps_beyond_the_checkpoint_and_torn_lines_are_dropped(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = TrainLog(path, finished_steps=0)
    for step in (1, 2, 3):
        log.write(step, loss=0.5)
    log.close()
    with path.open("a") as file:
        file.write('{"step": 2, "lo')
    log = TrainLog(path, finished_steps=2)
    log.write(3, loss=0.25)
    log.close()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.5},
        {"step": 3, "loss": 0.25},
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["log.jsonl"]


def test_what_json_cannot_say_is_null(tmp_path: Path):
    log = TrainLog(tmp_path / "log.jsonl", finished_steps=0)
    log.write(1, loss=0.5, grad_norm=float("inf"), by_quantile=[0.5, 0.25])
    log.close()
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=lambda name: name) == {
        "step": 1,
        "loss": 0.5,
        "grad_norm": None,
        "by_quantile": [0.5, 0.25],
    }

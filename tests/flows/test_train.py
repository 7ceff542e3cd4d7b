"""From a dataset root to a GIF by the command line: train, stop and go on, draw."""

import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from flows.train import _follow, _started
from flows.train_record import recorded
from mobius_model.sampling.generate import generate
from mobius_model.training.checkpoint import newest_checkpoint
from mobius_model.training.output import sole_training
from schemas.errors import UserError
from tests.conftest import ROOT
from tests.flows.mobius import Mobius
from tests.mobius_model.runs import SIZE, pictures_config, write_inputs

USER_ERROR = 2
END_SECONDS = 30


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root and a base for 8 x 8 clips."""
    return write_inputs(tmp_path_factory.mktemp("flow"))


@pytest.fixture(scope="module")
def command() -> Mobius:
    """The command line where no Prefect server is needed."""
    return Mobius({"OMP_NUM_THREADS": "1"}, ROOT)


def arguments(stage: str, inputs: Path, output: Path, *overrides: str) -> Sequence[str]:
    small = (f"data.size={SIZE}", "data.num_frames=3", "data.num_workers=0", "data.validation_fraction=0.2")
    short = ("loop.num_steps=4", "loop.batch_size=2", "checkpoint.every_steps=2", "validation.num_inference_steps=2")
    where = (f"root={inputs / 'root'}", f"base.path={inputs / 'base'}", f"output={output}")
    return ("train", "flows/configs/train-demo.toml", f"stage={stage}", *where, *small, *short, *overrides)


def test_help_names_the_commands_of_the_trainer(command: Mobius) -> None:
    text = command.ok("--help")
    for name in ("train", "precompute", "init-base", "generate"):
        assert name in text
    assert "Run the same command again to go on" in " ".join(command.ok("train", "--help").split())


def test_both_stages_train_and_a_fresh_process_draws_the_same_gif_again(
    mobius: Mobius, inputs: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    mobius.ok("init-base", str(base), "--dataset", str(inputs / "root"), "--size", str(SIZE))
    first = mobius.json(*arguments("t2i", inputs, tmp_path / "one", f"base.path={base}"))
    start = f"init={first['model']}"
    options = [*arguments("t2v", inputs, tmp_path / "two", f"base.path={base}", start, "data.latents=always")]
    mobius.ok("precompute", *options[1:])
    second = mobius.run(*options)
    assert second.returncode == 0, second.stderr[-3000:]
    assert "weights are trained" in second.stderr
    assert "held-out loss" in second.stderr
    assert f"model: {tmp_path}/two/model" in second.stdout
    record = json.loads((tmp_path / "two/run.json").read_text())
    assert record["outcome"] == "done"
    assert record["result"]["num_steps"] == 4
    assert record["config"]["stage"] == "t2v"
    model, ours, theirs = tmp_path / "two/model", tmp_path / "ours.gif", tmp_path / "theirs.gif"
    mobius.ok("generate", str(model), "开心", "--out", str(theirs), "--steps", "3", "--frames", "3", "--seed", "5")
    generate(model, ["开心"], out=ours, num_inference_steps=3, num_frames=3, seed=5, device="cpu")
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("network.mode=sideways", "network.mode = 'sideways': input should be 'parallel', 'serial' or 'full'"),
        ("loop.batch_size=50", "samples to train on, one step takes 50"),
    ],
)
def test_a_mistake_is_one_sentence_exit_code_2_and_writes_nothing(
    mobius: Mobius, inputs: Path, tmp_path: Path, override: str, sentence: str
) -> None:
    done = mobius.run(*arguments("t2i", inputs, tmp_path / "out", override))
    assert done.returncode == USER_ERROR
    assert sentence in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_what_the_trainer_says_of_its_end_is_raised_here() -> None:
    line = json.dumps({"error": "UserError", "message": "init: was changed"})
    with (
        tempfile.TemporaryFile() as log,
        _started([sys.executable, "-c", f"print({line!r})"], log) as process,
        pytest.raises(UserError, match="init: was changed"),
    ):
        _follow(process, lambda message: None, log)


@pytest.mark.parametrize(
    ("has_started", "error", "outcome"),
    [
        (False, UserError, None),
        (True, UserError, "failed"),
        (True, KeyboardInterrupt, "stopped"),
        (True, None, "done"),
    ],
)
def test_only_what_came_of_a_started_run_is_on_record(
    inputs: Path, tmp_path: Path, has_started: bool, error: type[BaseException] | None, outcome: str | None
) -> None:
    with contextlib.suppress(UserError, KeyboardInterrupt), recorded(pictures_config(inputs, tmp_path)) as record:
        if has_started:
            record.start()
            assert json.loads((tmp_path / "run.json").read_text())["outcome"] == "running"
        if error is not None:
            raise error("init: was changed")
    path = tmp_path / "run.json"
    assert (json.loads(path.read_text())["outcome"] if path.exists() else None) == outcome


def test_a_second_command_does_not_touch_the_record_of_the_first(mobius: Mobius, inputs: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    with sole_training(output):
        done = mobius.run(*arguments("t2i", inputs, output))
    assert done.returncode == USER_ERROR
    assert "another run is training into this folder" in done.stderr
    assert not (output / "run.json").exists()


@pytest.mark.parametrize(("name", "num_processes"), [("SIGKILL", 2), ("SIGTERM", 1)])
def test_a_stopped_command_takes_its_trainers_along_and_goes_on_when_started_again(
    mobius: Mobius, inputs: Path, tmp_path: Path, name: str, num_processes: int
) -> None:
    output = tmp_path / "out"
    constant = "schedule.name=constant"  # it is the end of this run that moves
    long = (constant, "loop.num_steps=2000", "checkpoint.every_steps=3", f"launch.num_processes={num_processes}")
    process = mobius.start(*arguments("t2i", inputs, output, *long), OMP_NUM_THREADS="1")
    while newest_checkpoint(output) is None:
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= num_processes
    process.send_signal(signal.Signals[name])
    process.wait(END_SECONDS)
    _, alive = psutil.wait_procs(family, END_SECONDS)
    assert [each.cmdline() for each in alive] == []
    if name == "SIGTERM":  # a scheduler's stop, of which there is time to leave a note
        assert json.loads((output / "run.json").read_text())["outcome"] == "stopped"
        return
    checkpoint = newest_checkpoint(output)
    assert checkpoint is not None
    done = int(checkpoint.name.removeprefix("step-"))
    shorter = (f"loop.num_steps={done + 1}", f"launch.num_processes={num_processes}")
    again = mobius.json(*arguments("t2i", inputs, output, *shorter, constant))
    assert again["first_step"] == done
    assert json.loads((output / "run.json").read_text())["outcome"] == "done"

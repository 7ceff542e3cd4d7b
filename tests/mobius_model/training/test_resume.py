"""A run that is killed and started again, on one rank or two, ends with the same bits as one that never stopped."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mobius_model.training.checkpoint import newest_checkpoint
from mobius_model.training.trainer import train
from tests.flows.mobius import kill_tree
from tests.mobius_model.runs import (
    TIMEOUT_SECONDS,
    assert_same_training,
    config,
    log_lines,
    losses,
    run_process,
    run_ranks,
    start_process,
    trained_tensors,
)

STEPS = {"num_steps": 14, "batch_size": 2, "log_every_steps": 1}  # more than an epoch of 21 samples
CHECKPOINTS = {"every_steps": 3, "keep": 1}


def kill_after_a_checkpoint(process: subprocess.Popen[str], output: Path) -> int:
    """SIGKILL the run as soon as it went on from a checkpoint that is not its last; return the checkpoint's step."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while newest_checkpoint(output) is None:
        assert process.poll() is None, process.communicate()[1][-3000:]
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.01)
    kill_tree(process)  # ranks of torchrun have process groups of their own
    checkpoint = newest_checkpoint(output)
    assert checkpoint is not None
    step = int(checkpoint.name.removeprefix("step-"))
    assert step < STEPS["num_steps"], "killed before its end"
    return step


@pytest.fixture(scope="module")
def uninterrupted(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One rank that accumulates twice, in one go."""
    output = tmp_path_factory.mktemp("uninterrupted") / "out"
    train(config(inputs, output, loop={**STEPS, "accumulation": 2}, checkpoint=CHECKPOINTS))
    return output


def test_a_killed_run_goes_on_to_the_same_bits_with_workers_in_mid_epoch(
    inputs: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    made = config(
        inputs, tmp_path / "out", loop={**STEPS, "accumulation": 2}, checkpoint=CHECKPOINTS, data={"num_workers": 2}
    )
    step = kill_after_a_checkpoint(start_process(made), tmp_path / "out")
    outcome = train(made)
    assert outcome.first_step == step
    assert [line["step"] for line in log_lines(tmp_path / "out") if "loss" in line] == list(range(1, 15))
    assert_same_training(tmp_path / "out", uninterrupted)
    ours, theirs = (
        load_file(output / "model/unet/diffusion_pytorch_model.safetensors")
        for output in (tmp_path / "out", uninterrupted)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_two_ranks_killed_and_started_again_equal_one_that_accumulates_twice(
    inputs: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    made = config(inputs, tmp_path / "out", loop=STEPS, checkpoint=CHECKPOINTS, launch={"num_processes": 2})
    step = kill_after_a_checkpoint(start_process(made, num_ranks=2), tmp_path / "out")
    done = run_process(made, num_ranks=2)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f'"first_step": {step}' in done.stdout
    assert_same_training(tmp_path / "out", uninterrupted)


@pytest.mark.parametrize(
    "loop",
    [{"precision": "bf16"}, {"precision": "bf16", "spatial_precision": "bf16"}, {"recompute": "all"}],
    ids=lambda loop: "-".join(map(str, loop)),
)
def test_a_run_in_two_parts_ends_with_the_same_bits(inputs: Path, tmp_path: Path, loop: dict[str, Any]) -> None:
    constant = {"schedule": {"name": "constant"}}
    train(config(inputs, tmp_path / "one", loop={**loop, "num_steps": 4}, **constant))
    train(config(inputs, tmp_path / "two", loop={**loop, "num_steps": 2}, **constant))
    assert train(config(inputs, tmp_path / "two", loop={**loop, "num_steps": 4}, **constant)).first_step == 2
    ours, theirs = (trained_tensors(tmp_path / name) for name in ("two", "one"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert losses(tmp_path / "two") == losses(tmp_path / "one")


RANKS = """
import sys
from accelerate import PartialState
from mobius_model.training.run import check_ranks_agree
from schemas.errors import UserError

state = PartialState(cpu=True)
check_ranks_agree({"dataset": "the same"})
try:
    check_ranks_agree({"dataset": f"found by {state.process_index}"})
except UserError as error:
    print(f"refused: {error}\\n", end="", flush=True)
state.destroy_process_group()
"""


def test_ranks_that_found_different_things_all_refuse(tmp_path: Path) -> None:
    (tmp_path / "ranks.py").write_text(RANKS)
    done = run_ranks([str(tmp_path / "ranks.py")], num_ranks=2)
    assert done.stdout.count("refused: the processes found different data or models") == 2, done.stderr[-3000:]

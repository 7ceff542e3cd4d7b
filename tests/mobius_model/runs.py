"""Tiny training runs: 8 x 8 clips, a tiny base, a handful of steps; in this process or in others."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from mobius_model.base_model.init_base import init_base
from mobius_model.training.checkpoint import newest_checkpoint
from mobius_model.training.config import TrainConfig
from tests.conftest import ROOT
from tests.mobius_model.data.tiny_root import tiny_clip, write_set

NUM_CLIPS = 24
SIZE = 8
TIMEOUT_SECONDS = 240
TINIER = {
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    "block_out_channels": [8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
}


def write_inputs(folder: Path) -> Path:
    """Write folder/root with both sets and folder/base; return the folder."""
    clips = [tiny_clip(number, num_frames=1 + number % 4) for number in range(NUM_CLIPS)]
    write_set(folder / "root", "t2i", clips)
    write_set(folder / "root", "t2v", clips)
    init_base(folder / "base", captions=["开心, image_caption_zh 0123 summary"], size=SIZE)
    unet = folder / "base/unet/config.json"
    unet.write_text(json.dumps({**json.loads(unet.read_text()), **TINIER}))
    return folder


def settings(inputs: Path, output: Path, **changes: Any) -> dict[str, Any]:
    """Return settings of a run of 4 steps; `changes` name sections, whose keys are added."""
    found: dict[str, Any] = {
        "root": str(inputs / "root"),
        "output": str(output),
        "stage": "t2v",
        "init": str(inputs / "pictures"),
        "seed": 3,
        "trackers": [],
        "base": {"path": str(inputs / "base")},
        "data": {"size": SIZE, "num_frames": 3, "num_workers": 0, "validation_fraction": 0.2},
        "optimizer": {"learning_rate": 1e-3},
        "loop": {"num_steps": 4, "batch_size": 2, "log_every_steps": 1},
        "checkpoint": {"every_steps": 2},
        "validation": {"every_steps": 4, "num_inference_steps": 2},
    }
    for section, value in changes.items():
        found[section] = {**found.get(section, {}), **value} if isinstance(value, Mapping) else value
    return found


def config(inputs: Path, output: Path, **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(settings(inputs, output, **changes))


def pictures_config(inputs: Path, output: Path, **changes: Any) -> TrainConfig:
    """Return a run of stage 1 from scratch."""
    return config(inputs, output, **{"stage": "t2i", "init": None, **changes})


def start_process(config: TrainConfig, *, num_ranks: int = 1, **environment: str) -> subprocess.Popen[str]:
    """Train in processes of their own, as torchrun does it if there are several; killed as a group."""
    path = Path(f"{config.output}.json")
    path.write_text(config.model_dump_json())
    return start_ranks(["-m", "mobius_model.train", str(path)], num_ranks=num_ranks, **environment)


def start_ranks(run: list[str], *, num_ranks: int, **environment: str) -> subprocess.Popen[str]:
    """Start a script or module of Python as so many ranks."""
    if num_ranks > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
        run = [*torchrun, f"--nproc-per-node={num_ranks}", *run]
    return subprocess.Popen(
        [sys.executable, *run],
        cwd=ROOT,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_process(config: TrainConfig, *, num_ranks: int = 1, **environment: str) -> subprocess.CompletedProcess[str]:
    return _ended(start_process(config, num_ranks=num_ranks, **environment))


def run_ranks(run: list[str], *, num_ranks: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return _ended(start_ranks(run, num_ranks=num_ranks, **environment))


def _ended(started: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    with started as process:
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    return subprocess.CompletedProcess([], process.returncode, output, errors)


def log_lines(output: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def losses(output: Path) -> list[float]:
    return [line["loss"] for line in log_lines(output) if "loss" in line]


def trained_tensors(output: Path) -> dict[str, torch.Tensor]:
    """Return weights, average and optimizer of the newest checkpoint."""
    checkpoint = newest_checkpoint(output)
    assert checkpoint is not None
    return {
        f"{path.stem}: {name}": tensor
        for path in sorted(checkpoint.glob("*.safetensors"))
        for name, tensor in load_file(path).items()
    }


def assert_same_training(output: Path, other: Path) -> None:
    """Weights, average, optimizer and log are equal, bit for bit."""
    ours, theirs = trained_tensors(output), trained_tensors(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert (output / "log.jsonl").read_bytes() == (other / "log.jsonl").read_bytes()

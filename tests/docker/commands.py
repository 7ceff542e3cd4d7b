"""Checks that a `mobius` command line is one: the command, its options, the config file it names and every setting."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from flows.cli import app
from flows.load import read_config
from mobius_model.training.config import TrainConfig
from pipeline.config import CurateConfig
from tests.conftest import ROOT

DOCKER = ROOT / "docker"
CONFIGS = {"curate": CurateConfig, "train": TrainConfig}


def check_command(arguments: Sequence[str], folder: Path = ROOT) -> CurateConfig | TrainConfig:
    """Return the config that `mobius ARGUMENTS`, run in the folder, would take. Raises what the command would."""
    name, *rest = arguments
    group = typer.main.get_group(app)
    command = group.commands.get(name)
    assert command is not None, f"no command {name}"
    given = command.make_context(name, list(rest)).params
    return read_config(CONFIGS[name], folder / given["config"], given["overrides"] or [])


def run_tool(name: str, package: str, *arguments: str | Path) -> None:
    """Run a checker over files; it must find nothing. Skips where it is not installed."""
    tool = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if tool is None:
        pytest.skip(f"{name} is not here: pip install {package}")
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr

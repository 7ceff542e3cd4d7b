"""The train flow: a config -> a trainer in a process of its own, or one per GPU, followed to its end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.train_progress import follow_training
from flows.train_record import recorded
from mobius_model.training.config import TrainConfig
from schemas import errors
from schemas.errors import MobiusError
from schemas.scratch import scratch_prefix

Message = dict[str, Any]
SECONDS_TO_STOP = 20.0
QUIET = {
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",  # on a busy CPU, threads that spin while they wait cost 6 x (measured)
}
ERROR_BYTES = 4000


class TrainerFailed(MobiusError):
    """The trainer's process ended without a word of its own; the end of its standard error says why."""


def run_train(config: TrainConfig) -> Message:
    """Run the flow, show how it goes, and return its outcome. Raises what the trainer raised."""
    with _terminated_like_ctrl_c():
        outcome: Message = train(config)
    return outcome


@flow(name="train", persist_result=False)
def train(config: TrainConfig) -> Message:
    """Train one stage on the dataset root of the config; goes on where the last run of it stopped."""
    return launch(config)


@task(cache_policy=NO_CACHE, persist_result=False)
def launch(config: TrainConfig) -> Message:
    """Start the trainer, follow its reports, return its outcome; it ends when this process does.

    Raises what the trainer raised. What came of it is recorded in OUTPUT/run.json.
    """
    with (
        recorded(config) as record,
        follow_training() as show,
        _config_file(config) as path,
        tempfile.TemporaryFile() as log,
        _started(_command(config, path), log) as process,
    ):

        def tell(message: Message) -> None:
            record.start()
            show(message)

        record.outcome = _follow(process, tell, log)
    return record.outcome


def _command(config: TrainConfig, path: Path) -> list[str]:
    trainer = ["-m", "mobius_model.train", str(path), "--launched"]
    if config.launch.num_processes == 1:
        return [sys.executable, *trainer]
    ranks = f"--nproc-per-node={config.launch.num_processes}"
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1", ranks, *trainer]


def _follow(process: subprocess.Popen[str], tell: Callable[[Message], None], log: Any) -> Message:
    """Pass on what the trainer reports until it ends. Raises what it raised."""
    outcome: Message | None = None
    failure: Message | None = None
    assert process.stdout is not None
    for line in process.stdout:
        message = _parse(line)
        if message is None:
            sys.stderr.write(line)
        elif "report" in message:
            tell(message)
        else:
            outcome = message.get("outcome", outcome)
            failure = failure or (message if "error" in message else None)
    process.wait()
    if failure is not None:
        raise getattr(errors, failure["error"], MobiusError)(failure["message"])
    if process.returncode or outcome is None:
        log.seek(max(0, log.seek(0, os.SEEK_END) - ERROR_BYTES))
        said = log.read().decode(errors="replace").strip()
        raise TrainerFailed(f"the trainer ended with exit code {process.returncode}:\n{said}")
    return outcome


def _parse(line: str) -> Message | None:
    """Read a message of the trainer; None for what some library printed."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and message.keys() & {"report", "outcome", "error"} else None


@contextmanager
def _started(command: list[str], log: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a process group that reads from us until we end, and stop it if it outlives the context."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
        env={**QUIET, **os.environ},
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()  # ranks of torchrun end with this, whatever becomes of torchrun
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, so that a scheduler's stop is recorded and takes the trainer along."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _config_file(config: TrainConfig) -> Iterator[Path]:
    """Write the resolved config where the trainer's processes can read it."""
    with tempfile.TemporaryDirectory(prefix=scratch_prefix("train")) as folder:
        path = Path(folder) / "config.json"
        path.write_text(config.model_dump_json(), encoding="utf-8")
        yield path

"""Trial: a stage of a config -> does its model open and answer one sample, in a process of its own, and at what cost.

What happens there happens in a flow, too: the model is opened, asked and blamed by the same code.
"""

import multiprocessing
import signal
import tempfile
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipeline.config import CurateConfig
from pipeline.doctor.report import Trouble
from pipeline.doctor.trial_process import ANSWERING, Measured, run_trial
from pipeline.models.served.secret import read_secret
from pipeline.models.writer import WriterConfig
from schemas.scratch import scratch_prefix

LIMIT_SECONDS = 1800.0
MAX_CHARACTERS = 2000  # of a sentence, whatever a library has to say
OPENING = "opening"
WAITED_FOR = {OPENING: "the model was not opened", ANSWERING: "the sample was not answered"}
LESS_MEMORY = "take a smaller model, a smaller batch_size, a narrower dtype, or a machine with more memory"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it: measures as far as it got, and the trouble it ended with."""

    measured: Measured | None = None
    trouble: Trouble | None = None


def try_stage(config: CurateConfig, stage: str, *, limit_seconds: float = LIMIT_SECONDS) -> Trial:
    """Open the model of a stage and have it answer the drawn sticker; a crash or a hang becomes a sentence."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix=scratch_prefix("doctor")) as folder:
        log = Path(folder, "log.txt")
        process = spawn.Process(target=run_trial, args=(sender, alone(config, stage), stage, log), daemon=True)
        process.start()
        sender.close()
        try:
            trial = _follow(receiver, process, limit_seconds, log)
            return replace(trial, trouble=trial.trouble and _tidied(trial.trouble, config, stage))
        finally:
            process.kill()
            process.join()
            receiver.close()


def alone(config: CurateConfig, stage: str) -> CurateConfig:
    """Return the config with the models of all other stages embedded, so that each is tried for itself."""
    kept = {"root", "source", "engine", stage} | ({"text"} if stage == "clean" else set())  # clean reads text, too
    plain = CurateConfig(root=config.root, source=config.source)
    return plain.model_copy(update={name: getattr(config, name) for name in kept})


def _tidied(trouble: Trouble, config: CurateConfig, stage: str) -> Trouble:
    """Take the API key out of a sentence, should a library or a server have put it in, and keep it short."""
    writer, sentence = getattr(config, stage), trouble.sentence
    if isinstance(writer, WriterConfig) and writer.engine == "served":
        sentence = read_secret(variable=writer.chosen.api_key_env).scrub(sentence)
    return replace(trouble, sentence=sentence[:MAX_CHARACTERS])


def _follow(receiver: Connection, process: BaseProcess, limit_seconds: float, log: Path) -> Trial:
    doing, end = OPENING, time.monotonic() + limit_seconds
    while receiver.poll(max(0.0, end - time.monotonic())):
        try:
            said = receiver.recv()
        except (EOFError, OSError):  # between two messages, or within one
            process.join()
            return Trial(trouble=name_death(process.exitcode or 0, log))
        if isinstance(said, Measured):
            return Trial(said, said.refused)
        if isinstance(said, Trouble):
            return Trial(trouble=said)
        doing = str(said)
    sentence = f"{WAITED_FOR[doing]} within {limit_seconds:g} s"
    return Trial(trouble=Trouble(sentence, "look at the machine or the server, or give it longer with --limit"))


def name_death(exit_code: int, log: Path) -> Trouble:
    """Say how a process ended that should have told what came of it."""
    if exit_code == -signal.SIGKILL:
        return Trouble("its process was killed, as happens where memory runs out", LESS_MEMORY)
    how = f"was ended by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with exit code {exit_code}"
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    remedy = "install the library of this model again, or take another model"
    return Trouble(f"its process {how}" + (f": {last}" if last else ""), remedy)

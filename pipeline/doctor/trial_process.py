"""Trial process: what runs in the process in which one stage is tried."""

import os
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.blame import Failure, answer_or_blame
from pipeline.config import CurateConfig
from pipeline.doctor.report import Trouble
from pipeline.doctor.sticker import sticker_input
from pipeline.models.cache import close_model, open_model_once
from pipeline.plan import plan_stages
from pipeline.threads import use_one_thread_per_worker
from schemas.answers import Answer
from schemas.errors import MachineFault, MobiusError

STATUS = Path("/proc/self/status")  # of Linux; elsewhere memory is not measured
ANSWERING = "answering"  # sent once a model is open
IN_ORDER = "put right what it says, then run mobius doctor again"
ANOTHER_TIME = "look at the machine or the server, then run mobius doctor again"


@dataclass(frozen=True, slots=True)
class Measured:
    """What opening and one sample took.

    identity: as the model names itself in rows. device: None where torch was not loaded. refused: why what it answered,
    if anything, is no answer.
    """

    identity: str
    seconds_to_open: float
    seconds_per_sample: float
    memory_bytes: int | None
    gpu_memory_bytes: int | None
    device: str | None
    refused: Trouble | None = None


def run_trial(sender: Connection, config: CurateConfig, stage: str, log: Path) -> None:
    """Open the model, send ANSWERING, ask it, and send Measured, or Trouble."""
    with log.open("wb") as file:  # what libraries say is for nobody, unless it is the last that was heard
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    use_one_thread_per_worker()
    try:
        said: Measured | Trouble = _try(sender, config, stage)
    except (MachineFault, MemoryError) as error:
        said = Trouble(str(error) or "out of memory", ANOTHER_TIME)
    except MobiusError as error:
        said = Trouble(str(error), IN_ORDER)
    except Exception as error:  # of any library: it ends this process, and is told in one sentence
        said = Trouble(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}", IN_ORDER)
    sender.send(said)
    sender.close()


def _try(sender: Connection, config: CurateConfig, stage: str) -> Measured:
    plan, sample = plan_stages(config)[stage], sticker_input()
    before = _memory("VmRSS")
    started = time.perf_counter()
    model = open_model_once(plan)
    seconds_to_open = time.perf_counter() - started
    sender.send(ANSWERING)
    started = time.perf_counter()
    (answer,) = answer_or_blame([sample], plan)
    seconds = time.perf_counter() - started
    peak = _memory("VmHWM")
    device, gpu_memory_bytes = _gpu()
    measured = Measured(
        identity=getattr(model, "inpainter", model).identity,  # clean has two models: the reader is that of text
        seconds_to_open=seconds_to_open,
        seconds_per_sample=seconds,
        memory_bytes=None if before is None or peak is None else max(0, peak - before),
        gpu_memory_bytes=gpu_memory_bytes,
        device=device,
        refused=_refused(answer),
    )
    close_model()
    return measured


def _refused(answer: Answer | Failure) -> Trouble | None:
    if not isinstance(answer, Failure):
        return None
    sentence = f"it does not answer a plain sample ({answer.reason}): {answer.detail}"
    return Trouble(sentence, "change its prompt or take another model: what is answered so is quarantined")


def _memory(name: str) -> int | None:
    """Return a line of what Linux says of this process in bytes: VmRSS now, VmHWM at most so far."""
    if not STATUS.exists():
        return None
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def _gpu() -> tuple[str | None, int | None]:
    """Return the device that torch has used and how much of a GPU's memory, as far as torch was loaded at all."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return None, None
    peak = int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else 0
    return (str(torch.cuda.get_device_name()), peak) if peak else ("cpu", None)

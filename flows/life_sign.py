"""Life sign: ROOT/runs/<id>.life tells whoever asks, from anywhere, how far a run is, and by its age that it lives.

Looking at it takes no lock and disturbs nobody. The clocks of the two machines should agree within some seconds.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from pipeline.root import DatasetRoot
from schemas.errors import MachineFault, MobiusError
from schemas.location import Location, ObjectPath
from schemas.storage import remove_files, write_text

SUFFIX = ".life"
BEAT_SECONDS = {"disk": 3.0, "store": 15.0}  # in a store each costs a request
DEAD_AFTER_SECONDS = 60.0
END_SECONDS = 2.0  # longer than that nobody waits for a sign on its way to a store that is away


@dataclass(frozen=True, slots=True)
class LifeSign:
    """What a run did at some moment; rate: samples per second of its stage; left: seconds, None where unknown."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    rate: float | None = None
    stage_left: float | None = None
    run_left: float | None = None
    unmeasured: tuple[str, ...] = ()
    host: str = ""
    pid: int = 0
    time: float = 0.0

    @property
    def age_seconds(self) -> float:
        return max(0.0, time.time() - self.time)

    @property
    def is_alive(self) -> bool:
        """True if it is fresh, and its process, if it is one of this machine, is there."""
        if self.age_seconds > DEAD_AFTER_SECONDS:
            return False
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


SIGN = TypeAdapter(LifeSign)


@contextmanager
def giving_life_signs(root: DatasetRoot, run: str, look: Callable[[], LifeSign]) -> Iterator[None]:
    """Write what `look` returns every few seconds while the context lasts; then there is no sign any more."""
    path, ended = _path(root, run), threading.Event()
    seconds = BEAT_SECONDS["store" if isinstance(root.path, ObjectPath) else "disk"]

    def beat() -> None:
        sign = replace(look(), host=socket.gethostname(), pid=os.getpid(), time=time.time())
        with suppress(MobiusError, OSError):  # a full disk, a store that is away: the run itself will say so
            write_text(path, json.dumps(asdict(sign)) + "\n")

    def keep_beating() -> None:
        while not ended.wait(seconds):
            beat()

    beat()
    thread = threading.Thread(target=keep_beating, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(END_SECONDS)
        with suppress(MachineFault, OSError):
            remove_files([path])


def read_life_sign(root: DatasetRoot, run: str) -> LifeSign | None:
    """Return the last sign of a run, None if it gives none."""
    try:
        return SIGN.validate_json(_path(root, run).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _path(root: DatasetRoot, run: str) -> Location:
    return root.runs / f"{run}{SUFFIX}"

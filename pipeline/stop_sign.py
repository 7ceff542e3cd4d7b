"""Stop sign: a file in a dataset root that asks the workers of a run, on whatever machine, to write what they have."""

import time
from dataclasses import dataclass, field

from pipeline.root import DatasetRoot
from schemas.errors import MachineFault, Stopped
from schemas.location import ObjectPath
from schemas.storage import remove_files, write_text

LOOK_SECONDS = 2.0
STORE_LOOK_SECONDS = 5.0  # a request each time, from every worker


@dataclass(slots=True)
class StopSign:
    """The sign of one run; `check` is cheap, it looks at most every few seconds."""

    root: DatasetRoot
    run: str
    _looked: float = field(default=-STORE_LOOK_SECONDS)

    def put_up(self) -> None:
        write_text(self.root.stop_sign_path(self.run), "")

    def take_down(self) -> None:
        remove_files([self.root.stop_sign_path(self.run)])

    def check(self) -> None:
        """Raise Stopped if the sign is up. A store that does not answer now is asked again later."""
        pause = STORE_LOOK_SECONDS if isinstance(self.root.path, ObjectPath) else LOOK_SECONDS
        if time.monotonic() - self._looked < pause:
            return
        self._looked = time.monotonic()
        try:
            is_up = self.root.stop_sign_path(self.run).exists()
        except MachineFault:
            return
        if is_up:
            raise Stopped(f"run {self.run} was asked to stop")

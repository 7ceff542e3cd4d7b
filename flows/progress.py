"""Progress: one bar per stage with counts, rate and time left, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class RateColumn(ProgressColumn):
    """Samples per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s", style="progress.data.speed")


class StageBars:
    """The bars of one run; `follow` adds one and returns how to move it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def follow(self, name: str, total: int | None) -> Callable[..., None]:
        """Add a bar; call the result with how many samples are done by now, `total=` once it is known, and a `note`.

        Without a total it is shown from that first call on: what fails before has nothing to show.
        """
        bar = self._progress.add_task(name, total=total, visible=total is not None, note="")

        def move(done: int, *, total: int | None = None, note: str = "") -> None:
            self._progress.update(bar, completed=done, total=total, visible=True, note=note)

        return move


@contextmanager
def stage_bars(*, are_shown: bool = True) -> Iterator[StageBars]:
    """Show bars while a run goes on; where standard error is no terminal, they appear once at the end.

    Not shown, they keep quiet altogether: the log speaks.
    """
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True, quiet=not are_shown), disable=not are_shown) as progress:
        yield StageBars(progress)

"""Show a run and what it left behind: status and garbage -> lines and a table on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.life_sign import LifeSign
from flows.pace import duration
from flows.printable import printable
from flows.run_status import ENDED_WITHOUT_A_WORD, RunStatus
from pipeline.garbage import Garbage


def show_run(run: RunStatus) -> None:
    """Print one line about a run, and one about its progress."""
    console = Console()
    console.print(Text(f"Run {run.identity}: {run.outcome}"))
    if run.sign is not None:
        console.print(Text(f"  {printable(_progress(run.sign))}"), soft_wrap=True)
    if run.outcome == ENDED_WITHOUT_A_WORD:
        console.print("  Killed, or its machine is gone: run the same command again to go on.")


def show_garbage(garbage: Sequence[Garbage], *, is_deleted: bool) -> None:
    """Print what nobody reads, why, and how many bytes."""
    console = Console()
    if not garbage:
        console.print("Nothing here that nobody reads.")
        return
    table = Table("place", "why", title="Read by nobody", title_justify="left", title_style="bold")
    table.add_column("files", justify="right")
    table.add_column("bytes", justify="right")
    for found in garbage:
        place = Text(printable(str(found.place)), overflow="fold")
        table.add_row(place, found.why, f"{len(found.files):,}", f"{found.size_bytes:,}")
    console.print(table)
    total = sum(each.size_bytes for each in garbage)
    console.print(f"{total:,} bytes removed." if is_deleted else f"{total:,} bytes; remove them with --delete.")


def _progress(sign: LifeSign) -> str:
    of = "" if sign.total is None else f" of {sign.total:,}"
    rate = "" if sign.rate is None else f", {sign.rate:,.1f}/s"
    left = _left(sign)
    seen = f"last sign of life {duration(sign.age_seconds)} ago, process {sign.pid} on {sign.host}"
    return f"{sign.stage or 'starting'}: {sign.done:,}{of}{rate}{', ' if left else ''}{left}; {seen}"


def _left(sign: LifeSign) -> str:
    """Say what time is left for the stage and for the run, as far as it is known."""
    said = []
    if sign.stage_left is not None:
        said.append(f"{duration(sign.stage_left)} left for this stage")
    if sign.run_left is not None:
        at_least = "at least " if sign.unmeasured else ""
        said.append(f"{at_least}{duration(sign.run_left)} for the run")
    if sign.unmeasured:
        said.append(f"not measured yet: {', '.join(sign.unmeasured)}")
    return ", ".join(said)

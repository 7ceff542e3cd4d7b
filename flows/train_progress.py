"""Train progress: the trainer's reports -> a bar on a terminal, lines in a log; loss, rate, time left, peak memory."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Message = dict[str, Any]
SECONDS_BETWEEN_LINES = 30.0  # where there is no terminal


class TrainingView:
    """Shows one training run."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._bar: TaskID | None = None
        self._said_at = 0.0

    def tell(self, message: Message) -> None:
        """Show one report."""
        kind = message["report"]
        {"Started": self._start, "Stepped": self._step, "Validated": self._validate, "Wrote": self._write}[kind](
            message
        )

    def _start(self, message: Message) -> None:
        trained, total = message["num_trained_weights"], message["num_weights"]
        goes_on = f", going on from step {message['step']:,}" if message["step"] else ""
        self._console.print(
            f"{message['stage']}: {message['num_train']:,} samples as {message['content'].partition('-')[0]}, "
            f"{message['num_validation']:,} held out; {trained:,} of {total:,} weights are trained{goes_on}",
            highlight=False,
            soft_wrap=True,
        )
        if message["num_left_out"]:
            self._console.print(
                f"{message['num_left_out']:,} temporal weights of init have no place in this network and are left out",
                highlight=False,
                soft_wrap=True,
            )
        self._bar = self._progress.add_task("train", total=message["num_steps"], completed=message["step"], numbers="")

    def _step(self, message: Message) -> None:
        assert self._bar is not None
        gigabytes = message["peak_memory_bytes"] / 1e9
        numbers = (
            f"loss {message['loss']:.4f}  {message['samples_per_second']:,.1f} samples/s  "
            f"left {timedelta(seconds=round(message['seconds_left']))}  peak {gigabytes:.2f} GB"
        )
        self._progress.update(self._bar, completed=message["step"], numbers=numbers)
        if not self._console.is_terminal and time.monotonic() - self._said_at > SECONDS_BETWEEN_LINES:
            self._said_at = time.monotonic()
            self._console.print(
                f"step {message['step']:,} of {message['num_steps']:,}  {numbers}", highlight=False, soft_wrap=True
            )

    def _validate(self, message: Message) -> None:
        quantiles = " ".join(f"{loss:.4f}" for loss in message["by_quantile"])
        ratio = message["t_over_h"]
        self._console.print(
            f"step {message['step']:,}: held-out loss {message['loss']:.4f} "
            f"(by timestep, little noise first: {quantiles})" + ("" if ratio is None else f", t / h {ratio:.3f}"),
            highlight=False,
            soft_wrap=True,
        )

    def _write(self, message: Message) -> None:
        if message["path"].endswith(".gif"):
            self._console.print(f"step {message['step']:,}: sample {message['path']}", highlight=False, soft_wrap=True)


@contextmanager
def follow_training() -> Iterator[Callable[[Message], None]]:
    """Give a callable that shows reports on standard error for as long as the context lasts."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield TrainingView(progress.console, progress).tell

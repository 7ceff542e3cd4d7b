"""The command that makes a report: a dataset root -> a folder of HTML, and where it is."""

import time
from collections.abc import Callable
from typing import Annotated

import typer

commands = typer.Typer()

Root = Annotated[
    str, typer.Argument(help="Dataset root: the folder or s3://BUCKET/PATH that curate wrote", show_default=False)
]
MAX_SAMPLES = 50_000  # on one page: each is a record in the browser's memory
MIN_SECONDS_BETWEEN_MOVES = 0.1


@commands.command()
def report(
    root: Root,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where the report goes; default ROOT/report", show_default=False)
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, max=MAX_SAMPLES, help="Show at most about so many; all are counted")
    ] = 3000,
) -> None:
    """Make a report to look at: what came in, what was left out and why, before and after cleaning, captions.

    One folder of HTML that opens from a disk or a web server and needs no network. Disturbs no run.
    """
    from flows.progress import stage_bars
    from flows.runs import open_root, read_last_run, read_run_facts
    from pipeline.report.build import build_report
    from schemas.location import parse_location

    dataset = open_root(root)
    config, plans = read_last_run(dataset)
    place = parse_location(out, key="--out") if out else dataset.path / "report"
    with stage_bars() as bars:

        def follow(name: str, total: int) -> Callable[[int], None]:
            return _now_and_then(bars.follow(name, total), total)

        built = build_report(
            dataset, config, plans, runs=list(read_run_facts(dataset)), out=place, num_samples=samples, follow=follow
        )
    shown = "all" if built.num_shown == built.num_samples else f"{built.num_shown:,} of {built.num_samples:,}"
    typer.echo(f"{built.index}: {shown} samples to look at")


def _now_and_then(move: Callable[..., None], total: int) -> Callable[[int], None]:
    """Move a bar a few times a second at most, and at the end."""
    last = 0.0

    def moved(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= total or now - last >= MIN_SECONDS_BETWEEN_MOVES:
            last = now
            move(done)

    return moved

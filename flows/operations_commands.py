"""Commands of whoever keeps runs going: how far is it, and what may be thrown away."""

import dataclasses
import time
from typing import Annotated, Any

import typer

from flows.printable import print_json

commands = typer.Typer()

Root = Annotated[
    str, typer.Argument(help="Dataset root: the folder or s3://BUCKET/PATH that curate wrote", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables")]
SECONDS_PER_HOUR = 3600


@commands.command()
def status(
    root: Root,
    watch: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="While a run goes on, show it again so often; 0 = once")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Show whether a run goes on and how far it is, and the account: every sample exported, rejected, quarantined
    or pending, and why. Works from anywhere, also on an object store, and disturbs no run.
    """
    from flows.run_status import read_run_status
    from flows.runs import open_root, read_last_run
    from flows.show import show_ledger
    from flows.show_run import show_run
    from pipeline.ledger import read_ledger

    dataset = open_root(root)
    while True:
        run = read_run_status(dataset)
        if not as_json:
            show_run(run)
        config, plans = read_last_run(dataset)
        ledger = read_ledger(dataset, config.select, plans)
        if as_json:
            print_json({"run": run.as_dict(), **dataclasses.asdict(ledger)})
        else:
            show_ledger(ledger, root, is_running=run.is_running)
        if not watch or not run.is_running:
            return
        time.sleep(watch)


@commands.command()
def gc(
    root: Root,
    delete: Annotated[bool, typer.Option("--delete", help="Remove it; without this it is only listed")] = False,
    older_than: Annotated[
        float, typer.Option(min=0, metavar="HOURS", help="Leave alone what was written in the last so many hours")
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """List what nobody reads any more, or remove it: answers of settings that are gone, parts doubled by a kill,
    exports left aside, shards never recorded, notes of dead runs, temporary folders of dead processes. Not while a
    run goes on.
    """
    from flows.garbage import collect_garbage
    from flows.runs import open_root
    from flows.show_run import show_garbage

    dataset = open_root(root)
    garbage = collect_garbage(dataset, written_before=time.time() - older_than * SECONDS_PER_HOUR, is_deleted=delete)
    if as_json:
        rows: list[dict[str, Any]] = [
            {"place": str(each.place), "why": each.why, "files": len(each.files), "size_bytes": each.size_bytes}
            for each in garbage
        ]
        print_json(rows)
    else:
        show_garbage(garbage, is_deleted=delete)

"""The `mobius` command: what a person types -> calls of the flows, and what came of them in words or JSON."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.format_commands import commands as format_commands
from flows.local_prefect import use_local_prefect
from flows.model_commands import commands as model_commands
from flows.operations_commands import commands as operations_commands
from flows.printable import complain, print_json
from flows.process_end import leave_quietly
from flows.report_command import commands as report_commands
from flows.review_commands import commands as review_commands
from flows.stopping import leave_on_signals
from flows.training_commands import commands as training_commands
from schemas.errors import MobiusError, Stopped, UserError

FAILURE, USER_ERROR, STOPPED = 1, 2, 143
AFTER_A_FAILURE = (
    "mobius: what is finished is kept: run the same command again to go on; "
    "a curation leaves the traceback in the newest file of ROOT/runs"
)
OF_THE_TRAINER = ("accelerate", "diffusers", "einops", "safetensors", "torch", "transformers")

app = typer.Typer(
    name="mobius",
    help="From a pile of labelled GIFs to Parquet training shards, and from these to a model that makes GIFs.\n\n"
    "Start with: mobius curate flows/configs/laptop.toml source.path=MY_FOLDER root=MY_DATASET",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Config = Annotated[Path, typer.Argument(help="TOML file, such as flows/configs/laptop.toml", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION.KEY=VALUE]...", help="Settings that replace those of the file", show_default=False
    ),
]
Root = Annotated[
    str, typer.Argument(help="Dataset root: the folder or s3://BUCKET/PATH that curate wrote", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables")]


@app.command()
def curate(config: Config, overrides: Overrides = None, as_json: Json = False) -> None:
    """Curate a source into a dataset root: measure, read text, clean, caption, translate, select, export.

    Run the same command again to go on after a stop, to add new files, or to apply changed settings:
    what is answered already is not computed again.
    """
    from flows.ready import load_ready_config

    with leave_on_signals(complain_of_stop):
        loaded = load_ready_config(config, overrides or [])
        with use_local_prefect():
            from flows.curate import run_curate

            ledger = run_curate(loaded)
    from flows.show import show_ledger

    if as_json:
        print_json(dataclasses.asdict(ledger))
    else:
        show_ledger(ledger, loaded.root)


@app.command()
def select(
    root: Root,
    overrides: Overrides = None,
    sweep: Annotated[bool, typer.Option(help="Count what t2v would keep at other thresholds")] = False,
    as_json: Json = False,
) -> None:
    """Show what the thresholds keep, review decisions included, without computing or writing anything.

    Try others with, for instance, select.min_frames=9 select.max_text_area=0.1; apply them with `mobius curate`.
    """
    from flows.load import override_config
    from flows.runs import open_root, read_last_run
    from flows.show import show_decisions, show_sweep
    from pipeline.decisions import count_decisions
    from pipeline.measured import open_measured
    from pipeline.review.standing import load_standing
    from pipeline.select import Selection
    from pipeline.select import sweep as sweep_thresholds

    dataset = open_root(root)
    config, plans = read_last_run(dataset)
    config = override_config(config, overrides or [])
    with open_measured(dataset, plans, load_review=load_standing) as measured:
        if sweep:
            rows = sweep_thresholds(measured, config.select)
            print_json(rows) if as_json else show_sweep(rows, config.select)
            return
        count = count_decisions(Selection(measured, config.select))
    print_json(dataclasses.asdict(count)) if as_json else show_decisions(count)


@app.command()
def fates(
    root: Root,
    fate: Annotated[str | None, typer.Option(help="Only exported, rejected, quarantined or pending")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as duplicate or corrupt")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show at most so many; 0 = all")] = 40,
    as_json: Json = False,
) -> None:
    """List what happened to each file, and why."""
    from flows.runs import open_root, read_last_run
    from flows.show import show_fates
    from pipeline.fates import FATES, list_fates

    if fate is not None and fate not in FATES:
        raise UserError(f"--fate {fate}: expected one of {', '.join(FATES)}")
    dataset = open_root(root)
    config, plans = read_last_run(dataset)
    rows = list_fates(dataset, config.select, plans, fate=fate, reason=reason, limit=limit)
    print_json(rows) if as_json else show_fates(rows)


@app.command()
def head(
    root: Root,
    name: Annotated[str, typer.Option("--set", help="t2i or t2v")] = "t2v",
    num: Annotated[int, typer.Option(min=1, help="How many rows")] = 2,
) -> None:
    """Show the first rows of a training set."""
    from flows.runs import open_root
    from flows.show import show_rows
    from pipeline.export.columns import TRAINING_SETS
    from pipeline.export.read import read_first_rows

    if name not in TRAINING_SETS:
        raise UserError(f"--set {name}: expected one of {', '.join(TRAINING_SETS)}")
    show_rows(read_first_rows(open_root(root), TRAINING_SETS[name], num))


@app.command("draw-stickers")
def draw_stickers(
    folder: Annotated[
        Path, typer.Argument(help="Where to write; media/ and truth/ are made in it", show_default=False)
    ],
    num: Annotated[int, typer.Option(min=1, help="How many animated stickers")] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same stickers")] = 0,
) -> None:
    """Draw labelled stickers with burnt-in text and known truth, to try everything on."""
    from pipeline.synthetic import write_stickers

    count = write_stickers(folder, num=num, seed=seed)
    typer.echo(f"{count} files in {folder / 'media'}, what is under their text in {folder / 'truth'}")


app.add_typer(review_commands)
app.add_typer(format_commands)
app.add_typer(report_commands)
app.add_typer(operations_commands)
app.add_typer(model_commands)
app.add_typer(training_commands)


def complain_of_stop(reason: str) -> None:
    """Say in one sentence that the run was stopped, and that nothing is lost."""
    complain(f"stopped: {reason}; run the same command again to go on")


def main() -> None:
    """Run the command and leave; exit code 2 if the user is to put something right, 1 if something failed."""
    leave_quietly(_run())


def _run() -> int:
    try:
        app()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else FAILURE
    except UserError as error:
        complain(str(error))
        return USER_ERROR
    except Stopped as error:
        complain_of_stop(str(error))
        return STOPPED
    except MobiusError as error:
        complain(f"{type(error).__name__}: {error}")
        return FAILURE
    except KeyboardInterrupt:
        complain("stopped; run the same command again to go on")
        return FAILURE
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name in OF_THE_TRAINER:
            complain(f"{error.name} is not installed, the trainer needs: pip install 'mobius[train]'")
            return USER_ERROR
        complain(f"failed: {type(error).__name__}: {error}")
        sys.stderr.write(f"{AFTER_A_FAILURE}\n")
        return FAILURE
    return 0


if __name__ == "__main__":
    main()

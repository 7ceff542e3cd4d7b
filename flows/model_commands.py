"""Commands of the models: are they here, do they run, and how do they get here."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.printable import print_json

if TYPE_CHECKING:
    from pipeline.config import CurateConfig


MISSING = 2  # exit code, as for everything that a person is to put right

commands = typer.Typer()
models = typer.Typer(help="List the models of a config, and fetch those of the hub.", no_args_is_help=True)
commands.add_typer(models, name="models")

Config = Annotated[
    str | None,
    typer.Argument(metavar="[CONFIG]", help="TOML file of a curation; if not given: its defaults", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION.KEY=VALUE]...", help="Settings that replace those of the file", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables")]


@commands.command()
def doctor(
    config: Config = None,
    overrides: Overrides = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only look; open nothing")] = False,
    limit: Annotated[float, typer.Option(min=1, help="Seconds for a model to open, and to answer")] = 1800.0,
    as_json: Json = False,
) -> None:
    """Check every model of a config: is it here, does it answer a drawn sticker, how fast, in how much memory.

    Each is tried in a process of its own. Exit code 2 if one is missing or does not run.
    """
    from rich.console import Console

    from flows.show_models import show_reports
    from pipeline.doctor import MODEL_STAGES, examine

    loaded = _load(config, overrides or [])
    checking, reports = examine(loaded, run_sample=not quick, limit_seconds=limit), []
    with Console(stderr=True).status("") as status:
        for stage in MODEL_STAGES:
            status.update(f"checking the model of {stage}")
            reports.append(next(checking))
    if as_json:
        print_json([dataclasses.asdict(each) for each in reports])
    else:
        show_reports(reports)
    if any(each.trouble is not None for each in reports):
        raise typer.Exit(MISSING)


@models.command("list")
def list_models(config: Config = None, overrides: Overrides = None, as_json: Json = False) -> None:
    """List the models of a config: is each here, where, in which revision, how large, under which licence."""
    from flows.show_models import show_places
    from pipeline.doctor import MODEL_STAGES, look_at
    from pipeline.doctor.look_files import SOURCES

    loaded = _load(config, overrides or [])
    reports = [look_at(stage, loaded) for stage in MODEL_STAGES]
    elsewhere = dict(SOURCES[each.engine] for each in reports if each.engine in SOURCES)
    if as_json:
        print_json({"models": [dataclasses.asdict(each) for each in reports], "not_on_the_hub": elsewhere})
    else:
        show_places(reports, elsewhere)


@models.command("fetch")
def fetch_models(
    configs: Annotated[
        list[Path], typer.Argument(metavar="CONFIG...", help="TOML files of curations or trainings", show_default=False)
    ],
    into: Annotated[
        Path | None, typer.Option(help="Folder for the models, such as a disk to carry; else the hub cache")
    ] = None,
) -> None:
    """Fetch the hub's models that configs name, and print what the configs are to say from then on.

    Only what is needed comes: no code, and pickled weights only to be written again as safetensors.
    Afterwards everything runs without network.
    """
    from flows.hub_models import config_line, read_wanted
    from pipeline.hub import fetch

    wanted = {(each.key, each.name): each for path in configs for each in read_wanted(path)}
    if not wanted:
        typer.echo("No model of the hub is named: every model of these configs is embedded, served or a folder.")
    for model in wanted.values():
        fetched = fetch(model, into=into)
        typer.echo(f"# {model.name}: commit {fetched.commit}, {fetched.size_bytes:,} bytes")
        if fetched.is_converted:
            typer.echo("# its weights were pickled: they were written again as safetensors, and the pickle was deleted")
        typer.echo(config_line(fetched))


def _load(config: str | None, overrides: Sequence[str]) -> "CurateConfig":
    """Read a config, whose source and root need not be there; what looks like an override is one."""
    from flows.load import read_config, validate_config
    from pipeline.config import CurateConfig

    if config is not None and ("=" not in config or Path(config).is_file()):
        return read_config(CurateConfig, Path(config), overrides)
    overrides = [*([config] if config is not None else []), *overrides]
    plain = {"root": "dataset", "source": {"path": "gifs"}}
    return validate_config(CurateConfig, plain, overrides, name="defaults")

"""The command that hands a training set on: the same samples in the files of another tool."""

from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def export(
    root: Annotated[
        str, typer.Argument(help="Dataset root: the folder or s3://BUCKET/PATH that curate wrote", show_default=False)
    ],
    out: Annotated[str, typer.Argument(help="Folder to write, new or empty", show_default=False)],
    format_name: Annotated[
        str, typer.Option("--format", help="webdataset, lance, mds or gif-folder", show_default=False)
    ],
    name: Annotated[str, typer.Option("--set", help="t2i or t2v")] = "t2v",
    shard_mib: Annotated[
        int, typer.Option("--shard-mib", min=1, max=2048, help="Size of the files of webdataset, lance and mds")
    ] = 256,
) -> None:
    """Write a training set in another format: pictures, delays, captions and all other columns.

    webdataset: tar files for the package of that name. lance: a Lance dataset. mds: shards of MosaicML Streaming.
    gif-folder: real GIFs in a folder per label, with metadata.jsonl, to look at and for Hugging Face.
    OUT appears when it is finished; what breaks off leaves nothing.
    """
    from flows.printable import complain
    from flows.progress import stage_bars
    from flows.runs import open_root
    from flows.stopping import leave_on_signals
    from pipeline.export.columns import TRAINING_SETS
    from pipeline.export.formats.convert import convert_set
    from pipeline.export.formats.writer import FormatConfig
    from schemas.errors import UserError

    if name not in TRAINING_SETS:
        raise UserError(f"--set {name}: expected one of {', '.join(TRAINING_SETS)}")
    config = FormatConfig(shard_bytes=shard_mib << 20)

    def say(reason: str) -> None:
        complain(f"stopped: {reason}; nothing is left of it, run the same command again")

    with leave_on_signals(say), stage_bars() as bars:
        num_samples = convert_set(
            open_root(root),
            TRAINING_SETS[name],
            out,
            format_name=format_name,
            config=config,
            begin=lambda total: bars.follow(format_name, total),
        )
    typer.echo(f"{num_samples:,} samples of {name} as {format_name} in {out}")

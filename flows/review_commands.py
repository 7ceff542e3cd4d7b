"""Command of whoever looks at samples: what a person says about one, or about many, and what was said."""

import getpass
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.printable import print_json
from pipeline.export.own_captions import outdated
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.review import CAPTION_FIELDS, ReviewDecision

commands = typer.Typer()

DEFAULT_FIELD = "image_caption"
EXPECTED = "expected one of --reject, --keep, --caption TEXT, --clear, --file FILE, --list"


@commands.command()
def review(
    root: Annotated[
        str, typer.Argument(help="Dataset root: the folder or s3://BUCKET/PATH that curate wrote", show_default=False)
    ],
    key: Annotated[
        str | None, typer.Argument(help="The sample, as `mobius fates ROOT --json` names it", show_default=False)
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="It is out")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="It is in, whatever the thresholds say")] = False,
    caption: Annotated[str | None, typer.Option(help="Write this in the place of what the model wrote")] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take back what was said: about --field, or all of it")
    ] = False,
    field: Annotated[
        str | None,
        typer.Option(
            help=f"Of --caption, one of {', '.join(CAPTION_FIELDS)} (default {DEFAULT_FIELD}); of --clear also verdict"
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Many decisions: a JSON object with key, action, ... a line")
    ] = None,
    are_listed: Annotated[bool, typer.Option("--list", help="Show what was said, the latest first")] = False,
    by: Annotated[str | None, typer.Option(help="Who says so; by default who is logged in")] = None,
    note: Annotated[str | None, typer.Option(help="Why")] = None,
    limit: Annotated[int, typer.Option(min=0, help="List at most so many; 0 = all")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables")] = False,
) -> None:
    """Say that a sample is out or in, or write its caption; the next `mobius curate` goes by it.

    Everything that was ever said is kept; of two decisions about the same, the later stands. May be run at any time, by
    any number of people, also while a curation goes on.
    """
    from flows.runs import open_root, read_last_run

    asked = {"reject": reject, "keep": keep, "caption": caption is not None, "clear": clear}
    actions = [name for name, is_asked in asked.items() if is_asked]
    if len(actions) + (file is not None) + are_listed != 1:
        raise UserError(f"review: {EXPECTED}")
    dataset = open_root(root)
    read_last_run(dataset)  # complains of a folder that no curation wrote
    if are_listed:
        _list(dataset, key, limit=limit, as_json=as_json)
        return
    if (key is None) != (file is not None):
        raise UserError("review: expected a KEY, or a --file that names one in each line")
    reviewer = by or _user()
    if file is None:
        from pipeline.review.decision_file import make_decision

        action = actions[0]
        field = DEFAULT_FIELD if action == "caption" and field is None else field
        said = {"key": key, "action": action, "field": field, "text": caption, "note": note, "reviewer": reviewer}
        decision = make_decision(said, name="review")
        written = _append(dataset, lambda: [decision])
    else:
        from pipeline.review.decision_file import read_decision_file

        written = _append(dataset, lambda: read_decision_file(file, reviewer=reviewer))
    if as_json:
        print_json({"written": written})
    else:
        noun = "decision" if written == 1 else "decisions"
        typer.echo(f"{written:,} {noun} written; the next `mobius curate` with the same config goes by all that stands")
        if caption is not None and (stale := outdated({field or DEFAULT_FIELD})):
            typer.echo(f"{', '.join(stale)} stay as models made them, until they are written too")


def _append(root: DatasetRoot, read: Callable[[], Iterable[ReviewDecision]]) -> int:
    """Look at all decisions before the first is written: all are stored, or none."""
    from pipeline.review.keys import find_unknown_keys
    from pipeline.review.parts import append_decisions

    unknown = find_unknown_keys(root, (each.key for each in read()))
    if unknown:
        raise UserError(f"{', '.join(unknown)}: no sample of {root.path}; `mobius fates ROOT --json` names them")
    return append_decisions(root, read())


def _list(root: DatasetRoot, key: str | None, *, limit: int, as_json: bool) -> None:
    from flows.show_review import show_review
    from pipeline.review.standing import read_decisions

    rows: list[dict[str, Any]] = [dict(row) for row in read_decisions(root, [key] if key else (), limit=limit)]
    print_json(rows) if as_json else show_review(rows)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UserError("review: nobody is logged in by name, expected --by NAME") from error

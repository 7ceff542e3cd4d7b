"""Show review decisions -> a table on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.printable import printable

MAX_CELL_CHARACTERS = 120


def show_review(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line per decision; those that another has replaced are dim."""
    table = Table(title="Review, the latest first", title_justify="left", title_style="bold")
    for name in ("time", "by", "sample", "decision", "text", "note", "stands"):
        table.add_column(name, overflow="fold")
    for row in rows:
        about = f"{row['action']} {row['field']}" if row["field"] else row["action"]
        cells = (row["time"][:19], row["reviewer"], row["key"], about, row["text"], row["note"])
        shown = [Text(printable(cell or "", limit=MAX_CELL_CHARACTERS)) for cell in cells]
        table.add_row(*shown, "yes" if row["stands"] else "", style="" if row["stands"] else "dim")
    Console().print(table)

"""Show models: reports of models -> tables on a terminal, and a line for each trouble with what to do about it."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.printable import MAX_SENTENCE_CHARACTERS, printable
from pipeline.doctor import ModelReport
from pipeline.doctor.report import told

COSTS = "opens, sample,\nmemory"
UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def show_reports(reports: Sequence[ModelReport]) -> None:
    """Print what was found of each model, and what it took to run, where any was tried."""
    were_tried = any(each.ran is not None for each in reports)
    table = _table(
        "stage", "model, revision, licence", "size, device", *(["opens, sample, memory"] if were_tried else [])
    )
    for each in reports:
        named = _lines(_named(each), each.revision, each.licence)
        cells = [_lines(each.stage, verdict(each)), named, _lines(size(each.size_bytes), each.device)]
        table.add_row(*cells, *([_costs(each)] if were_tried else []))
    console = Console()
    console.print(table)
    _show_troubles(console, reports)


def show_places(reports: Sequence[ModelReport], elsewhere: Mapping[str, str]) -> None:
    """Print where each model is, then where those among them are to be had that are no models of the hub."""
    table = _table("stage", "model, revision, where", "licence", "size")
    for each in reports:
        state = "here" if each.is_here else "missing"
        named = _lines(_named(each), each.revision, None if each.where == each.model else each.where)
        table.add_row(_lines(each.stage, state), named, each.licence, size(each.size_bytes))
    console = Console()
    console.print(table)
    for name, source in elsewhere.items():
        _print(console, f"{name} is no model of the hub; it wants {source}")
    _show_troubles(console, reports)


def verdict(report: ModelReport) -> str:
    """Say in a word or two how a model is."""
    if report.trouble is not None:
        return "fails" if report.is_here else "missing"
    return "runs" if report.ran else "here"


def size(size_bytes: int | None) -> str:
    """Write a number of bytes as people do; none is empty."""
    if size_bytes is None:
        return ""
    for unit, name in UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} B"


def _show_troubles(console: Console, reports: Sequence[ModelReport]) -> None:
    for each in reports:
        if each.trouble is not None:
            _print(console, told(each))


def _print(console: Console, text: str) -> None:
    console.print(escape(printable(text, limit=MAX_SENTENCE_CHARACTERS)), soft_wrap=True, highlight=False)


def _named(report: ModelReport) -> str:
    return f"{report.model} ({report.engine})"


def _lines(*parts: str | None) -> str:
    return escape(printable("\n".join(part for part in parts if part)))


def _costs(report: ModelReport) -> str:
    gpu = f"GPU {size(report.gpu_memory_bytes)}" if report.gpu_memory_bytes else None
    seconds = (report.seconds_to_open, report.seconds_per_sample)
    return _lines(*(_seconds(each) for each in seconds), size(report.memory_bytes), gpu)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, show_lines=True, pad_edge=False)
    for column in columns:
        is_number = column.startswith(("size", "opens"))
        table.add_column(column, justify="right" if is_number else "left", overflow="fold", no_wrap=column == "stage")
    return table

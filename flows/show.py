"""Show: counts -> tables on a terminal. Text that comes from outside is never read as markup."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.printable import printable
from pipeline.decisions import DecisionCount
from pipeline.ledger import Ledger, StageCount
from pipeline.select import SelectConfig

MAX_CELL_CHARACTERS = 72
MAX_VALUE_CHARACTERS = 400


def show_ledger(ledger: Ledger, root: str, *, is_running: bool = False) -> None:
    """Print the account: stages first, then fates, then whether the sums agree; while a run goes on they need not."""
    console = Console()
    counts_tokens = any(stage.tokens is not None for stage in ledger.stages.values())
    of_models = ("tokens", "tokens/s", "not kept waiting") if counts_tokens else ()
    stages = _table("Stages", "stage", "answered", "failed", "pending", "work, s", *of_models)
    for name, stage in ledger.stages.items():
        failed = sum(stage.failed.values())
        cells = [name, f"{stage.ok:,}", f"{failed:,}", f"{stage.pending:,}", f"{stage.seconds:,.1f}"]
        stages.add_row(*cells, *(_model_cells(stage) if counts_tokens else ()))
    console.print(stages)
    fates = _table("Fates", "fate", "why", "t2i", "t2v")
    for fate, why, counts in list_fates_by_reason(ledger):
        fates.add_row(fate, why, *(f"{count:,}" for count in counts))
    console.print(fates)
    if is_running and not ledger.balanced:
        console.print(f"{ledger.ingested:,} ingested.", "The sums are checked at the end of the run.")
    else:
        console.print(f"{ledger.ingested:,} ingested.", "The sums agree." if ledger.balanced else "THE SUMS DISAGREE:")
        for sentence in ledger.disagreements:
            console.print(_plain(sentence))
    for name, count in ledger.exported.items():
        console.print(f"{name}: {count:,} samples in", _plain(f"{root.rstrip('/')}/{name}"))


def _model_cells(stage: StageCount) -> tuple[str, str, str]:
    """Tokens, tokens per second of a worker, and the share of its time in which the model was not kept waiting."""
    if stage.tokens is None or not stage.seconds:
        return ("", "", "")
    busy = 1 - stage.waited_seconds / stage.seconds
    return f"{stage.tokens:,}", f"{stage.tokens / stage.seconds:,.1f}", f"{busy:.0%}"


def show_decisions(count: DecisionCount) -> None:
    """Print how many samples the thresholds keep, and why the others are out."""
    table = _table("Selection", "", "t2i", "t2v")
    table.add_row("chosen", *(f"{count.chosen[name]:,}" for name in ("t2i", "t2v")))
    for reason in sorted({*count.rejected["t2i"], *count.rejected["t2v"]}):
        table.add_row(reason, *(f"{count.rejected[name].get(reason, 0):,}" for name in ("t2i", "t2v")))
    Console().print(table)


def show_sweep(rows: Sequence[Mapping[str, float | int]], config: SelectConfig) -> None:
    """Print samples and labels that t2v would keep: one row per frames and text area, one column per label count."""
    counts = sorted({row["min_label_count"] for row in rows})
    table = _table("t2v samples (labels): frames at least, text area at most, label seen at least", "frames", "text")
    for count in counts:
        marked = " *" if count == config.min_label_count else ""
        table.add_column(f"{count}{marked}", justify="right")
    kept = {(row["min_frames"], row["max_text_area"], row["min_label_count"]): row for row in rows}
    for frames, area in sorted({(row["min_frames"], row["max_text_area"]) for row in rows}):
        marked = " *" if (frames, area) == (config.min_frames, config.max_text_area) else ""
        cells = [kept[frames, area, count] for count in counts]
        shown = [f"{cell['num_samples']:,} ({cell['num_labels']:,})" for cell in cells]
        table.add_row(f"{frames}{marked}", f"{area:g}", *shown)
    console = Console()
    console.print(table)
    console.print("* the configured thresholds")


def show_fates(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one line per sample."""
    table = _table("Samples", "path", "label", "fate", "t2v", "why", "detail")
    for row in rows:
        t2v = row["t2v_fate"] if row["t2v_fate"] == "exported" else row["t2v_reason"] or row["t2v_fate"]
        why = " ".join(filter(None, (row["stage"] if row["fate"] != "exported" else None, row["why"])))
        cells = (row["path"], row["label"] or "", row["fate"], t2v, why, row["detail"] or "")
        table.add_row(*(_plain(cell) for cell in cells))
    Console().print(table)


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of a training set, one column of the set per line."""
    if not rows:
        Console().print("No rows: the set is empty; `mobius status` says why.")
    for number, row in enumerate(rows):
        table = _table(f"Row {number}", "label", "why")
        table.show_header = False
        for name, value in row.items():
            table.add_row(name, _plain(value if isinstance(value, str) else _brief(value), limit=MAX_VALUE_CHARACTERS))
        Console().print(table)


def _brief(value: Any) -> str:
    """Say how large encoded media are instead of printing them."""
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return f"{value['path']}, {len(value['bytes']):,} bytes"
    return "" if value is None else str(value)


def list_fates_by_reason(ledger: Ledger) -> Iterable[tuple[str, str, list[int]]]:
    """Yield fate, reason and the count in each set."""
    sets = list(ledger.sets.values())
    yield "exported", "", [each.exported for each in sets]
    for reason in sorted({reason for each in sets for reason in each.rejected}):
        yield "rejected", reason, [each.rejected.get(reason, 0) for each in sets]
    for stage in sorted({stage for each in sets for stage in each.quarantined}):
        reasons = sorted({reason for each in sets for reason in each.quarantined.get(stage, {})})
        for reason in reasons:
            counts = [each.quarantined.get(stage, {}).get(reason, 0) for each in sets]
            yield "quarantined", f"{stage}: {reason}", counts
    yield "pending", "", [each.pending for each in sets]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        is_text = number == 0 or column in ("why", "label", "fate", "detail", "max_text_area")
        table.add_column(column, justify="left" if is_text else "right")
    return table


def _plain(text: str, *, limit: int = MAX_CELL_CHARACTERS) -> Text:
    """Show a text from outside: control characters replaced, cut to a sane length, no markup."""
    return Text(printable(text.replace("\n", "\N{REPLACEMENT CHARACTER}"), limit=limit))

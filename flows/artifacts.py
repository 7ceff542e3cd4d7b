"""Artifacts: the account and the sweep of a run -> tables on Prefect's page, for whoever did not start it.

A server that is gone by then costs the tables, never the run.
"""

import html
import re
from collections.abc import Iterable, Sequence

import httpx
from prefect.artifacts import create_markdown_artifact
from prefect.exceptions import PrefectHTTPStatusError
from prefect.logging import get_run_logger

from flows.local_prefect import is_own_server
from flows.show import list_fates_by_reason
from pipeline.config import CurateConfig
from pipeline.ledger import Ledger
from pipeline.measured import open_measured
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.select import sweep

LEDGER, SWEEP = "curate-ledger", "curate-sweep"
MAX_CELL_CHARACTERS = 200
MAX_SWEPT = 1_000_000  # samples; with more, `mobius select ROOT --sweep` is for whoever has the time
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~:-])")


def publish_account(config: CurateConfig, ledger: Ledger) -> None:
    """Publish what came out, and what other thresholds would keep, with the flow run that is going on."""
    if is_own_server():
        return
    try:
        create_markdown_artifact(ledger_markdown(config.root, ledger), key=LEDGER, description="Fate of every sample")
        if ledger.ingested <= MAX_SWEPT:
            create_markdown_artifact(sweep_markdown(config), key=SWEEP, description="What t2v would keep")
    except (httpx.TransportError, PrefectHTTPStatusError) as error:
        get_run_logger().warning("no artifacts: %s", error)


def ledger_markdown(root: str, ledger: Ledger) -> str:
    """Return the account as Markdown: fates by reason, stages, whether the sums agree."""
    fates: list[list[str | float]] = [[fate, why, *counts] for fate, why, counts in list_fates_by_reason(ledger)]
    stages: list[list[str | float]] = [
        [name, stage.ok, sum(stage.failed.values()), stage.pending, round(stage.seconds, 1)]
        for name, stage in ledger.stages.items()
    ]
    said = ["The sums agree."] if ledger.balanced else ["**The sums disagree.**", *map(plain, ledger.disagreements)]
    return "\n\n".join(
        [
            f"{ledger.ingested:,} samples ingested into {plain(root)}. {' '.join(said)}",
            table(("fate", "why", *ledger.sets), fates),
            table(("stage", "answered", "failed", "pending", "work, s"), stages),
        ]
    )


def sweep_markdown(config: CurateConfig) -> str:
    """Return as Markdown how many samples and labels t2v would keep at other thresholds."""
    with open_measured(DatasetRoot(config.root_path), plan_stages(config)) as measured:
        rows = sweep(measured, config.select)
    names = ("min_frames", "max_text_area", "min_label_count", "num_samples", "num_labels")
    return table(names, ([row[name] for name in names] for row in rows))


def table(names: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    """Return a Markdown table; every cell is shown as it is, whatever it holds."""
    lines = [names, ["---"] * len(names), *rows]
    shown = [[cell if cell == "---" else _cell(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def plain(text: str) -> str:
    """Show a text from outside: cut to a sane length, one line, neither Markdown nor HTML in it."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    shown = shown if len(shown) <= MAX_CELL_CHARACTERS else shown[: MAX_CELL_CHARACTERS - 1] + "…"
    return html.escape(MARKDOWN.sub(r"\\\1", shown), quote=False)


def _cell(value: str | float) -> str:
    return plain(value) if isinstance(value, str) else f"{value:,}"

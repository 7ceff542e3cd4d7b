"""Page: counts of a root -> index.html, with everything that is there before a script has run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.config import CurateConfig
from pipeline.ledger import Ledger
from pipeline.report.charts import CURVE_WIDTHS, draw_histogram, draw_label_curve
from pipeline.report.funnel import funnel_steps
from pipeline.report.measures import MEASURES, MODEL_COLUMNS
from pipeline.report.runs import RunFacts
from pipeline.report.survey import OUTCOMES, Survey, quantile_seconds
from pipeline.report.words import OUTCOME_WORDS, STAGE_WORDS, STEP_WORDS, plain, reason_words
from pipeline.root import DatasetRoot


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a page tells."""

    root: DatasetRoot
    config: CurateConfig
    survey: Survey
    ledger: Ledger
    runs: Sequence[RunFacts]


def render_page(contents: Contents) -> str:
    """Return the HTML of a report."""
    survey, ledger, select = contents.survey, contents.ledger, contents.config.select
    page = _environment().get_template("index.html.j2")
    return page.render(
        title=contents.root.path.name or str(contents.root.path),
        place=str(contents.root.path),
        built=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        num_samples=survey.num_samples,
        num_shown=len(survey.chosen),
        outcomes=[(each, *OUTCOME_WORDS[each], num) for each, num in survey.num_by_outcome().items()],
        ledger=ledger,
        sets={name: funnel_steps(name, fates) for name, fates in survey.fates.items()},
        step_words=STEP_WORDS,
        stage_words=STAGE_WORDS,
        reasons=reason_words(select),
        select=select,
        num_labels=survey.num_labels,
        num_listed=len(survey.labels),
        num_frequent=sum(
            last - first + 1 for count, first, last in survey.label_curve if count >= select.min_label_count
        ),
        curves={
            name: draw_label_curve(survey.label_curve, select.min_label_count, width=width)
            for name, width in CURVE_WIDTHS.items()
            if survey.label_curve
        },
        histograms=[_histogram(survey, number) for number in range(len(MEASURES))],
        num_groups=survey.num_copy_groups,
        models=[_model(survey, ledger, stage) for stage in ledger.stages],
        counts_tokens=any(count.tokens is not None for count in ledger.stages.values()),
        failures=[
            (stage, reason, num) for stage, count in ledger.stages.items() for reason, num in count.failed.items()
        ],
        runs=contents.runs,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "count": lambda number: f"{number:,}", "seconds": seconds, "share": share}
    return environment


def seconds(number: float) -> str:
    """Return seconds with three figures, and minutes or hours where they are many."""
    for limit, unit, size in ((0.9995, "ms", 1e-3), (120, "s", 1), (7200, "min", 60)):
        if number < limit:
            return f"{number / size:.3g} {unit}"
    return f"{number / 3600:,.1f} h"


def share(part: float, whole: float) -> str:
    """Return a part as percent of a whole; what is there is never called 0 %."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def _histogram(survey: Survey, number: int) -> dict[str, Any]:
    measure = MEASURES[number]
    bins = survey.bins[measure.name]
    present = [each for each in OUTCOMES if any(outcome == each for _, outcome in bins)]
    rows = [(name, [bins[place, outcome] for outcome in present]) for place, name in enumerate(measure.names)]
    return {
        "measure": measure,
        "svg": draw_histogram(measure, bins) if bins else None,
        "columns": [OUTCOME_WORDS[each][0] for each in present],
        "rows": rows,
        "total": sum(bins.values()),
    }


def _model(survey: Survey, ledger: Ledger, stage: str) -> Mapping[str, Any]:
    count, costs = ledger.stages[stage], survey.costs[stage]
    return {
        "stage": stage,
        "has_model": stage in MODEL_COLUMNS,
        "names": [(name, num) for (of, name), num in survey.models.most_common() if of == stage],
        "ok": count.ok,
        "failed": sum(count.failed.values()),
        "pending": count.pending,
        "seconds": count.seconds,
        "median": quantile_seconds(costs, 0.5),
        "slow": quantile_seconds(costs, 0.95),
        "tokens": count.tokens,
        "tokens_per_second": count.tokens / count.seconds if count.tokens and count.seconds else None,
        "waited": count.waited_seconds / count.seconds if count.seconds else None,
    }

"""Survey: all samples of a root, a group of shards at a time -> counts, histograms, and which samples to show.

Memory: DuckDB's own and one group of shards; what is counted here is as long as the reasons, bins and models are many.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from pipeline.config import CurateConfig
from pipeline.export.columns import TRAINING_SETS
from pipeline.fates import open_fates
from pipeline.plan import Plans
from pipeline.report.choose import CREATE_POOL, FILL_POOL, Chosen, Copies, choose_samples, group_copies
from pipeline.report.measures import COLUMNS, MEASURES, MODEL_COLUMNS
from pipeline.root import DatasetRoot
from pipeline.select import POSITIONS, sweep

OUTCOMES = ("both", "t2i", "rejected", "quarantined", "pending")
BINS_PER_DECADE = 20  # of seconds per sample: a quantile read from them is right to 6 %
MAX_LABELS = 2000  # listed on the page, the most frequent ones

# One row per sample: what became of it in one word, and where and why in two.
TOLD = """
CREATE OR REPLACE TEMP VIEW told AS
SELECT s.*, x.size_bytes,
       CASE WHEN s.t2v_fate = 'exported' THEN 'both' WHEN s.fate = 'exported' THEN 't2i' ELSE s.fate END AS outcome,
       CASE WHEN s.fate = 'exported' THEN s.t2v_stage ELSE s.stage END AS out_stage,
       CASE WHEN s.fate = 'exported' THEN s.t2v_reason ELSE s.why END AS out_reason
FROM fates s JOIN samples x USING (key)
"""

LABELS = """
CREATE OR REPLACE TEMP TABLE labels_seen (label VARCHAR, num BIGINT, num_t2i BIGINT, num_t2v BIGINT)
"""
FILL_LABELS = """
INSERT INTO labels_seen SELECT label, count(*), count(*) FILTER (WHERE fate = 'exported'),
       count(*) FILTER (WHERE t2v_fate = 'exported') FROM told WHERE label IS NOT NULL GROUP BY label
"""
TOTAL_LABELS = """
CREATE OR REPLACE TEMP TABLE labels_total AS
SELECT l.label, sum(l.num)::BIGINT AS num, coalesce(any_value(c.num_samples), 0) AS num_counted,
       sum(l.num_t2i)::BIGINT AS num_t2i, sum(l.num_t2v)::BIGINT AS num_t2v
FROM labels_seen l LEFT JOIN label_counts c USING (label) GROUP BY l.label
"""
RANKED = "SELECT * FROM labels_total ORDER BY num_counted DESC, num DESC, label LIMIT $limit"
CURVE = """
WITH ranked AS (SELECT num_counted, row_number() OVER (ORDER BY num_counted DESC) AS rank FROM labels_total)
SELECT num_counted, min(rank), max(rank) FROM ranked WHERE num_counted > 0 GROUP BY num_counted ORDER BY 2
"""


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label: files that have it, those that pass every rule before the label rule, and those in each set."""

    label: str
    num: int
    num_counted: int
    num_t2i: int
    num_t2v: int


@dataclass(slots=True)
class Survey:
    """What the whole root amounts to."""

    fates: dict[str, Counter[tuple[str, str, str | None]]] = field(
        default_factory=lambda: {name: Counter() for name in TRAINING_SETS}
    )
    outcomes: Counter[tuple[str, str | None, str | None]] = field(default_factory=Counter)
    bins: dict[str, Counter[tuple[int, str]]] = field(
        default_factory=lambda: {each.name: Counter() for each in MEASURES}
    )
    costs: dict[str, Counter[int]] = field(default_factory=dict)
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: list[LabelCount] = field(default_factory=list)
    num_labels: int = 0
    label_curve: list[tuple[int, int, int]] = field(default_factory=list)
    sweep: list[dict[str, float | int]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    copies: list[Copies] = field(default_factory=list)
    num_copy_groups: int = 0

    @property
    def num_samples(self) -> int:
        return sum(self.outcomes.values())

    def num_by_outcome(self) -> dict[str, int]:
        """Return how many samples came to what, in the order of OUTCOMES."""
        counts: Counter[str] = Counter()
        for (outcome, _, _), num in self.outcomes.items():
            counts[outcome] += num
        return {outcome: counts[outcome] for outcome in OUTCOMES}


def survey_root(
    root: DatasetRoot,
    config: CurateConfig,
    plans: Plans,
    *,
    num_samples: int,
    move: Callable[[int], None] = lambda done: None,
) -> Survey:
    """Look at every sample once; about `num_samples` are chosen to be shown, `move` hears how many are done."""
    survey = Survey()
    with open_fates(root, config.select, plans, columns=COLUMNS) as fates:
        tables = fates.tables
        tables.execute(CREATE_POOL)
        tables.execute(LABELS)
        for _ in fates.groups:
            tables.execute(TOLD)
            _count_group(tables, survey, plans)
            tables.execute(FILL_LABELS)
            tables.execute(FILL_POOL.format(positions=POSITIONS))
            move(survey.num_samples)
        tables.execute(TOTAL_LABELS)
        survey.labels = [LabelCount(*row) for row in tables.execute(RANKED, {"limit": MAX_LABELS}).fetchall()]
        ((survey.num_labels,),) = tables.execute("SELECT count(*) FROM labels_total").fetchall()
        survey.label_curve = tables.execute(CURVE).fetchall()
        survey.copies, survey.num_copy_groups = group_copies(tables)
        survey.chosen = choose_samples(tables, num_samples, shown=[key for each in survey.copies for key in each.keys])
        survey.sweep = sweep(tables, config.select)
    return survey


def _count_group(tables: duckdb.DuckDBPyConnection, survey: Survey, plans: Plans) -> None:
    for name, fates in survey.fates.items():
        rows = tables.execute(f"SELECT fate, stage, why, count(*) FROM fates_{name} GROUP BY ALL").fetchall()
        _add(fates, rows)
    _add(
        survey.outcomes,
        tables.execute("SELECT outcome, out_stage, out_reason, count(*) FROM told GROUP BY ALL").fetchall(),
    )
    for measure in MEASURES:
        query = (
            f"SELECT {measure.bin_sql} AS bin, s.outcome, count(*) FROM told s JOIN {measure.stage} USING (key) "
            f"WHERE status = 'ok' AND ({measure.expression}) IS NOT NULL GROUP BY ALL"
        )
        _add(survey.bins[measure.name], tables.execute(query).fetchall())
    for stage in plans:
        cost = (
            f"SELECT floor(log10(greatest(seconds, 1e-6)) * {BINS_PER_DECADE})::INT, count(*) FROM {stage} GROUP BY 1"
        )
        counted = survey.costs.setdefault(stage, Counter())
        for place, num in tables.execute(cost).fetchall():
            counted[place] += num
    for stage, column in MODEL_COLUMNS.items():
        named = f"SELECT '{stage}', {column}, count(*) FROM {stage} WHERE status = 'ok' GROUP BY ALL"
        _add(survey.models, (row for row in tables.execute(named).fetchall() if row[1]))


def _add(counter: Counter[Any], rows: Iterable[tuple[Any, ...]]) -> None:
    for *what, num in rows:
        counter[tuple(what)] += num


def quantile_seconds(costs: Mapping[int, int], share: float) -> float:
    """Return the seconds below which a share of the samples stays, read from logarithmic bins."""
    wanted, seen = share * sum(costs.values()), 0
    for place in sorted(costs):
        seen += costs[place]
        if seen >= wanted:
            return float(10 ** ((place + 0.5) / BINS_PER_DECADE))
    return 0.0

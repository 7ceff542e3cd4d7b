"""Select: measured numbers -> one decision per sample and training set, each rejection with one named reason.

Nothing is computed about pixels here: thresholds are cheap to change. A sample is rejected for the first reason
that holds, in the order duplicate, no_label, few_frames, text_area, rare_label.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import duckdb
import pyarrow as pa
from pydantic import Field

from schemas.config import StrictConfig

MEASURES = ("probe", "text")  # the stages whose numbers are read here
POSITIONS = 1 << 32  # an ordinal is the number of a shard x POSITIONS + the position in it


class SelectConfig(StrictConfig):
    """Thresholds of the recipe. t2v obeys all; t2i, whose samples may be still, all but frames and label count."""

    min_frames: int = Field(5, ge=1)  # frames; more than 4
    count_frames: Literal["stored", "distinct"] = "stored"  # the recipe counts stored frames
    max_text_area: float = Field(0.25, ge=0, le=1)  # union of text over the canvas
    max_text_area_t2i: float | None = Field(None, ge=0, le=1)  # for t2i; absent = the same as max_text_area
    min_label_count: int = Field(1001, ge=1)  # samples; more than 1000, counted after the rules above it
    drop_duplicates: bool = True  # equal canonical pixels and timing: the first is kept, labels are merged
    require_label: bool = True


# What is equal in pixels and timing: the first of them is kept, with the labels of all.
COPIES = """
CREATE OR REPLACE TEMP TABLE copies AS
WITH repeated AS (
    SELECT content FROM measured WHERE is_probed AND $drop_duplicates GROUP BY content HAVING count(*) > 1
)
SELECT content, min(ordinal) AS kept, arg_min(key, ordinal) AS kept_key,
       coalesce(list_sort(list(DISTINCT label) FILTER (WHERE label IS NOT NULL)), []) AS labels
FROM measured SEMI JOIN repeated USING (content) WHERE is_probed GROUP BY content
"""

# One row per sample that could be probed.
CANDIDATES = """
CREATE OR REPLACE TEMP VIEW candidates AS
SELECT m.ordinal, m.key, m.text_area, m.is_readable, m.content, c.kept, c.kept_key,
       CASE WHEN $count_distinct THEN m.num_distinct_frames ELSE m.num_frames END AS num_frames,
       CASE WHEN c.kept IS NOT NULL THEN c.labels WHEN m.label IS NULL THEN []::VARCHAR[] ELSE [m.label] END AS labels,
       coalesce(c.kept, m.ordinal) = m.ordinal AS is_kept
FROM measured m LEFT JOIN copies c ON c.content = m.content AND m.is_probed
WHERE m.is_probed
"""

ELIGIBLE = "is_kept AND is_readable AND (len(labels) > 0 OR NOT $require_label)"

# How often each label is seen among the samples that pass the rules above it: what min_label_count is compared with.
LABEL_COUNTS = f"""
CREATE OR REPLACE TEMP TABLE label_counts AS
SELECT label, count(*) AS num_samples FROM (
    SELECT unnest(CASE WHEN len(labels) = 0 THEN [''] ELSE labels END) AS label FROM candidates
    WHERE {ELIGIBLE} AND num_frames >= $min_frames AND text_area <= least($max_text_area, $max_text_area_t2i)
) GROUP BY label
"""

FREQUENT = """
CREATE OR REPLACE TEMP TABLE frequent AS SELECT label FROM label_counts WHERE num_samples >= $min_label_count
"""

FREQUENT_COPIES = """
CREATE OR REPLACE TEMP TABLE frequent_copies AS
SELECT DISTINCT content FROM (
    SELECT content, unnest(CASE WHEN len(labels) = 0 THEN [''] ELSE labels END) AS label FROM copies
) SEMI JOIN frequent USING (label)
"""

DECISIONS = f"""
WITH judged AS (
    SELECT c.*, CASE WHEN NOT is_kept THEN 'duplicate'
                     WHEN $require_label AND len(labels) = 0 THEN 'no_label' END AS shared_reason,
           CASE WHEN c.kept IS NULL THEN f.label IS NOT NULL ELSE g.content IS NOT NULL END AS is_frequent
    FROM candidates c
    LEFT JOIN frequent f ON c.kept IS NULL AND f.label = coalesce(c.labels[1], '')
    LEFT JOIN frequent_copies g ON c.kept IS NOT NULL AND g.content = c.content
    WHERE c.ordinal >= $first AND c.ordinal < $end
)
SELECT replace(key::VARCHAR, '-', '') AS key, shard, (ordinal % {POSITIONS})::INT AS position, labels,
       CASE WHEN NOT is_kept THEN replace(kept_key::VARCHAR, '-', '') END AS duplicate_of,
       CASE WHEN shared_reason IS NOT NULL THEN shared_reason
            WHEN text_area > $max_text_area_t2i THEN 'text_area' END AS t2i_reason,
       CASE WHEN shared_reason IS NOT NULL THEN shared_reason
            WHEN num_frames < $min_frames THEN 'few_frames'
            WHEN text_area > least($max_text_area, $max_text_area_t2i) THEN 'text_area'
            WHEN NOT (is_frequent AND is_readable) THEN 'rare_label' END AS t2v_reason
FROM judged JOIN shards ON number = ordinal // {POSITIONS} ORDER BY ordinal
"""

# Samples that differ in nothing that the thresholds of a sweep can tell, counted: few rows, however long the dataset.
ALIKE = f"""
CREATE OR REPLACE TEMP TABLE alike AS
SELECT CASE WHEN len(labels) = 0 THEN [''] ELSE labels END AS labels, {{frames}} AS frames, {{areas}} AS areas,
       count(*) AS num_samples
FROM candidates WHERE {ELIGIBLE} AND text_area <= $max_text_area_t2i GROUP BY ALL
"""

SWEEP = """
WITH kept AS (SELECT labels, num_samples FROM alike WHERE frames >= $frames AND areas >= $areas),
labelled AS (SELECT unnest(labels) AS label, num_samples FROM kept),
frequent AS (SELECT list(label) AS labels FROM (
    SELECT label FROM labelled GROUP BY label HAVING sum(num_samples) >= $min_label_count))
SELECT coalesce(sum(num_samples), 0)::BIGINT, coalesce(any_value(len(f.labels)), 0)
FROM kept k CROSS JOIN frequent f WHERE list_has_any(k.labels, f.labels)
"""

SWEEP_MIN_FRAMES = (2, 5, 9, 17)
SWEEP_MAX_TEXT_AREAS = (0.05, 0.1, 0.25, 1.0)
SWEEP_MIN_LABEL_COUNTS = (1, 5, 20, 101, 1001)


class Selection:
    """Thresholds applied to what was measured; rows are made for those shards that are asked for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> None:
        """Look at all samples once. `connection` holds the tables of pipeline.measured, and gets `label_counts`."""
        self._connection = connection
        self._thresholds = _thresholds(config)
        _create_candidates(connection, config)
        connection.execute(LABEL_COUNTS, _named(LABEL_COUNTS, self._thresholds))
        connection.execute(FREQUENT, _named(FREQUENT, self._thresholds))
        connection.execute(FREQUENT_COPIES)

    def decide(self, first: int = 0, end: int = 1 << 62) -> pa.Table:
        """Return one row per probed sample with an ordinal from `first` to below `end`, in their order.

        Columns: key, shard, position, labels, duplicate_of, t2i_reason, t2v_reason; a null reason means chosen.
        """
        values = {**self._thresholds, "first": first, "end": end}
        return self._connection.sql(DECISIONS, params=_named(DECISIONS, values)).to_arrow_table()

    def count(self) -> list[tuple[str | None, str | None, int]]:
        """Return how many samples have which reason for t2i and which for t2v."""
        query = f"SELECT t2i_reason, t2v_reason, count(*) FROM ({DECISIONS}) GROUP BY ALL"
        values = {**self._thresholds, "first": 0, "end": 1 << 62}
        found = self._connection.execute(query, _named(query, values)).fetchall()
        return [(t2i, t2v, num) for t2i, t2v, num in found]


def sweep(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> list[dict[str, float | int]]:
    """Count the samples and labels that t2v would keep at other thresholds, the configured ones among them."""
    _create_candidates(connection, config)
    min_frames = _with(SWEEP_MIN_FRAMES, config.min_frames)
    max_text_areas = _with(SWEEP_MAX_TEXT_AREAS, config.max_text_area)
    query = ALIKE.format(
        frames=" + ".join(f"(num_frames >= {int(each)})::INT" for each in min_frames),
        areas=" + ".join(f"(text_area <= {float(each)})::INT" for each in max_text_areas),
    )
    fixed = {
        "require_label": config.require_label,
        "max_text_area_t2i": 1.0 if config.max_text_area_t2i is None else config.max_text_area_t2i,
    }
    connection.execute(query, fixed)
    rows: list[dict[str, float | int]] = []
    for frames, least_frames in enumerate(min_frames, start=1):
        for place, max_text_area in enumerate(max_text_areas):
            for min_label_count in _with(SWEEP_MIN_LABEL_COUNTS, config.min_label_count):
                kept = {"frames": frames, "areas": len(max_text_areas) - place, "min_label_count": int(min_label_count)}
                ((num_samples, num_labels),) = connection.execute(SWEEP, kept).fetchall()
                rows.append(
                    {
                        "min_frames": int(least_frames),
                        "max_text_area": max_text_area,
                        "min_label_count": int(min_label_count),
                        "num_samples": num_samples,
                        "num_labels": num_labels,
                    }
                )
    return rows


def _thresholds(config: SelectConfig) -> dict[str, Any]:
    return {
        "require_label": config.require_label,
        "min_frames": config.min_frames,
        "max_text_area": config.max_text_area,
        "max_text_area_t2i": config.max_text_area if config.max_text_area_t2i is None else config.max_text_area_t2i,
        "min_label_count": config.min_label_count,
    }


def _named(query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that a query names: DuckDB takes no others."""
    names = set(re.findall(r"\$(\w+)", query))
    return {name: value for name, value in values.items() if name in names}


def _create_candidates(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> None:
    connection.execute(COPIES.replace("$drop_duplicates", str(config.drop_duplicates)))
    connection.execute(CANDIDATES.replace("$count_distinct", str(config.count_frames == "distinct")))


def _with(values: Iterable[float], configured: float) -> list[float]:
    return sorted({*values, configured})

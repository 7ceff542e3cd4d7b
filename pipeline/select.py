"""Select: measured numbers -> one decision per sample and training set, each rejection with one named reason.

Nothing is computed about pixels here: thresholds are cheap to change. A sample is rejected by the first of RULES that
holds. What a person said of it goes before all thresholds: `reject` is the first rule, and for one with `keep` none
holds.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import pyarrow as pa
from pydantic import Field

from schemas.config import StrictConfig

MEASURES = ("probe", "quality", "text")  # the stages whose numbers are read here
ABOVE_ALL = 99  # more than a sweep has thresholds of a kind
POSITIONS = 1 << 32  # an ordinal is the number of a shard x POSITIONS + the position in it


class SelectConfig(StrictConfig):
    """Thresholds. t2v obeys all; t2i, whose samples may be still, all but those of frames, motion and label count."""

    min_frames: int = Field(5, ge=1)  # frames; more than 4
    count_frames: Literal["stored", "distinct"] = "stored"  # the recipe counts stored frames
    max_text_area: float = Field(0.25, ge=0, le=1)  # union of text over the canvas
    max_text_area_t2i: float | None = Field(None, ge=0, le=1)  # for t2i; absent = the same as max_text_area
    min_label_count: int = Field(1001, ge=1)  # samples; more than 1000, counted after the rules above it
    max_seam_error: float | None = Field(None, ge=0, le=1)  # t2v; absent = any, here and below
    max_flashes_per_second: float | None = Field(None, ge=0)  # t2v; WCAG 2.3.1 says 3
    min_moving_area: float | None = Field(None, ge=0, le=1)  # t2v; fraction of the canvas
    min_sharpness: float | None = Field(None, ge=0, le=1)  # t2i and t2v
    drop_duplicates: bool = True  # equal canonical pixels and timing: the first is kept, labels are merged
    require_label: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A sample is rejected for this reason if the SQL condition holds; it does not where a number or threshold is null.

    stage: the last one whose numbers the condition reads. is_for_t2i: it rejects for both sets, else only for t2v.
    """

    reason: str
    stage: str
    is_for_t2i: bool
    condition: str


RULES = (
    Rule("reviewed_out", "probe", True, "verdict = 'reject'"),
    Rule("duplicate", "probe", True, "NOT is_kept"),
    Rule("no_label", "probe", True, "$require_label AND len(labels) = 0"),
    Rule("not_measured", "text", True, "NOT is_measured"),  # its fate is told first: quarantined where it failed
    Rule("few_frames", "probe", False, "num_frames < $min_frames"),
    Rule("blurred", "quality", True, "sharpness < $min_sharpness"),
    Rule("still", "quality", False, "moving_area < $min_moving_area"),
    Rule("seam", "quality", False, "seam_error > $max_seam_error"),
    Rule("flash", "quality", False, "max_flashes_per_second > $max_flashes_per_second"),
    Rule("text_area", "text", True, "text_area > $max_text_area_t2i"),
    Rule("text_area", "text", False, "text_area > $max_text_area"),
)
RARE_LABEL = "rare_label"  # t2v only, and last: labels are counted among the samples that pass all rules
SWEPT = ("$min_frames", "$max_text_area")  # what a sweep replaces, beside the label count


def reasons_known_after(stage: str) -> list[str]:
    """Return for what select rejects from both sets as soon as a stage of MEASURES has answered, and never before."""
    return list(dict.fromkeys(rule.reason for rule in RULES if rule.stage == stage and rule.is_for_t2i))


def _first_reason(rules: Iterable[Rule], *, by_hand: str) -> str:
    """Return SQL for the reason of the first rule that holds; null if none does, or if a person keeps the sample."""
    whens = " ".join(f"WHEN {rule.condition} THEN '{rule.reason}'" for rule in rules)
    return f"CASE WHEN {by_hand} THEN NULL {whens} END"


T2I_REASON = _first_reason((rule for rule in RULES if rule.is_for_t2i), by_hand="verdict = 'keep'")
T2V_REASON = _first_reason(RULES, by_hand="is_video_by_hand")
NOT_SWEPT_REASON = _first_reason(
    (rule for rule in RULES if not rule.condition.endswith(SWEPT)), by_hand="is_video_by_hand"
)

# What is equal in pixels and timing: the first of them is kept, or the first that a person keeps, with the labels of
# all but those that a person rejects. If the one to be kept is rejected by a person, none takes its place.
COPIES = """
CREATE OR REPLACE TEMP TABLE copies AS
WITH repeated AS (
    SELECT content FROM measured WHERE is_probed AND $drop_duplicates GROUP BY content HAVING count(*) > 1
)
SELECT content, coalesce(min(ordinal) FILTER (WHERE verdict = 'keep'), min(ordinal)) AS kept,
       coalesce(arg_min(key, ordinal) FILTER (WHERE verdict = 'keep'), arg_min(key, ordinal)) AS kept_key,
       coalesce(list_sort(list(DISTINCT label)
           FILTER (WHERE label IS NOT NULL AND verdict IS DISTINCT FROM 'reject')), []) AS labels
FROM measured SEMI JOIN repeated USING (content) WHERE is_probed GROUP BY content
"""

# One row per sample that could be probed. Kept by hand for t2v is only what moves: a still picture stays one.
CANDIDATES = """
CREATE OR REPLACE TEMP VIEW candidates AS
SELECT m.ordinal, m.key, m.is_measured, m.seam_error, m.max_flashes_per_second, m.moving_area, m.sharpness, m.text_area,
       m.content, c.kept, c.kept_key,
       CASE WHEN $count_distinct THEN m.num_distinct_frames ELSE m.num_frames END AS num_frames,
       CASE WHEN c.kept IS NOT NULL THEN c.labels WHEN m.label IS NULL THEN []::VARCHAR[] ELSE [m.label] END AS labels,
       coalesce(c.kept, m.ordinal) = m.ordinal AS is_kept, m.verdict,
       coalesce(m.verdict = 'keep' AND m.num_distinct_frames > 1, false) AS is_video_by_hand
FROM measured m LEFT JOIN copies c ON c.content = m.content AND m.is_probed
WHERE m.is_probed
"""

# How often each label is seen among the samples that pass all other rules: what min_label_count is compared with.
LABEL_COUNTS = f"""
CREATE OR REPLACE TEMP TABLE label_counts AS
SELECT label, count(*) AS num_samples FROM (
    SELECT unnest(CASE WHEN len(labels) = 0 THEN [''] ELSE labels END) AS label FROM candidates
    WHERE ({T2V_REASON}) IS NULL AND is_measured
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
    SELECT c.*, CASE WHEN c.kept IS NULL THEN f.label IS NOT NULL ELSE g.content IS NOT NULL END AS is_frequent
    FROM candidates c
    LEFT JOIN frequent f ON c.kept IS NULL AND f.label = coalesce(c.labels[1], '')
    LEFT JOIN frequent_copies g ON c.kept IS NOT NULL AND g.content = c.content
    WHERE c.ordinal >= $first AND c.ordinal < $end
)
SELECT replace(key::VARCHAR, '-', '') AS key, shard, (ordinal % {POSITIONS})::INT AS position, labels,
       CASE WHEN NOT is_kept THEN replace(kept_key::VARCHAR, '-', '') END AS duplicate_of,
       {T2I_REASON} AS t2i_reason,
       coalesce({T2V_REASON}, CASE WHEN NOT (is_frequent OR is_video_by_hand) THEN '{RARE_LABEL}' END) AS t2v_reason,
       o.captions
FROM judged JOIN shards ON number = ordinal // {POSITIONS} LEFT JOIN own_captions o USING (key) ORDER BY ordinal
"""

# Samples that differ in nothing that the thresholds of a sweep can tell, counted: few rows, however long the dataset.
ALIKE = f"""
CREATE OR REPLACE TEMP TABLE alike AS
SELECT CASE WHEN len(labels) = 0 THEN [''] ELSE labels END AS labels, is_video_by_hand,
       CASE WHEN is_video_by_hand THEN {ABOVE_ALL} ELSE {{frames}} END AS frames,
       CASE WHEN is_video_by_hand THEN {ABOVE_ALL} ELSE {{areas}} END AS areas, count(*) AS num_samples
FROM candidates WHERE ({NOT_SWEPT_REASON}) IS NULL AND is_measured GROUP BY ALL
"""

SWEEP = """
WITH kept AS (SELECT labels, is_video_by_hand, num_samples FROM alike WHERE frames >= $frames AND areas >= $areas),
labelled AS (SELECT unnest(labels) AS label, num_samples FROM kept),
frequent AS (SELECT list(label) AS labels FROM (
    SELECT label FROM labelled GROUP BY label HAVING sum(num_samples) >= $min_label_count))
SELECT coalesce(sum(num_samples), 0)::BIGINT, coalesce(any_value(len(f.labels)), 0)
FROM kept k CROSS JOIN frequent f WHERE k.is_video_by_hand OR coalesce(list_has_any(k.labels, f.labels), false)
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

        Columns: key, shard, position, labels, duplicate_of, t2i_reason, t2v_reason, captions; a null reason means
        chosen. captions: those that people wrote, each with its field and reviewer, null if there are none.
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
    fixed = {**_thresholds(config), "max_text_area_t2i": config.max_text_area_t2i}
    connection.execute(query, _named(query, fixed))
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
    thresholds = config.model_dump(exclude={"drop_duplicates", "count_frames"})
    if config.max_text_area_t2i is None:
        thresholds["max_text_area_t2i"] = config.max_text_area
    return thresholds


def _named(query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that a query names: DuckDB takes no others."""
    names = set(re.findall(r"\$(\w+)", query))
    return {name: value for name, value in values.items() if name in names}


def _create_candidates(connection: duckdb.DuckDBPyConnection, config: SelectConfig) -> None:
    connection.execute(COPIES.replace("$drop_duplicates", str(config.drop_duplicates)))
    connection.execute(CANDIDATES.replace("$count_distinct", str(config.count_frames == "distinct")))


def _with(values: Iterable[float], configured: float) -> list[float]:
    return sorted({*values, configured})

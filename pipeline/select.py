"""Select: measured numbers -> one decision per sample and training set, each rejection with one named reason.

Nothing is computed about pixels here: thresholds are cheap to change. A sample is rejected for the first reason
that holds, in the order duplicate, no_label, few_frames, text_area, rare_label.
"""

from collections.abc import Iterable
from typing import Literal

import duckdb
import pyarrow as pa
from pydantic import Field

from schemas.config import StrictConfig

MEASURES = ("probe", "text")  # the stages whose numbers are read here


class SelectConfig(StrictConfig):
    """Thresholds of the recipe. t2v obeys all; t2i, whose samples may be still, all but frames and label count."""

    min_frames: int = Field(5, ge=1)  # frames; more than 4
    count_frames: Literal["stored", "distinct"] = "stored"  # the recipe counts stored frames
    max_text_area: float = Field(0.25, ge=0, le=1)  # union of text over the canvas
    max_text_area_t2i: float | None = Field(None, ge=0, le=1)  # for t2i; absent = the same as max_text_area
    min_label_count: int = Field(1001, ge=1)  # samples; more than 1000, counted after the rules above it
    drop_duplicates: bool = True  # equal canonical pixels and timing: the first is kept, labels are merged
    require_label: bool = True


# One row per sample that could be probed; a sample whose text is not read yet counts as having none.
CANDIDATES = """
CREATE OR REPLACE TEMP VIEW candidates AS
WITH probed AS (
    SELECT s.key, s.shard, s.position, s.label, p.pixels_hash, p.timing_hash,
           CASE WHEN $count_distinct THEN p.num_distinct_frames ELSE p.num_frames END AS num_frames,
           coalesce(t.text_area, 0) AS text_area,
           coalesce(t.status, 'ok') = 'ok' AS is_readable
    FROM samples s JOIN probe p USING (key) LEFT JOIN text t USING (key)
    WHERE s.reason IS NULL AND p.status = 'ok'
)
SELECT *,
       CASE WHEN $drop_duplicates THEN first_value(key) OVER copies ELSE key END AS kept_key,
       list_filter(
           CASE WHEN $drop_duplicates THEN list_sort(list_distinct(list(label) OVER copies)) ELSE [label] END,
           lambda x: x IS NOT NULL
       ) AS labels
FROM probed
WINDOW copies AS (PARTITION BY pixels_hash, timing_hash ORDER BY shard, position
                  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
"""

DECISIONS = """
WITH judged AS (
    SELECT *,
           CASE WHEN kept_key <> key THEN 'duplicate'
                WHEN $require_label AND len(labels) = 0 THEN 'no_label' END AS shared_reason
    FROM candidates
), passing AS (
    SELECT key, unnest(CASE WHEN len(labels) = 0 THEN [''] ELSE labels END) AS label FROM judged
    WHERE shared_reason IS NULL AND is_readable AND num_frames >= $min_frames
      AND text_area <= least($max_text_area, $max_text_area_t2i)
), counted AS (
    SELECT label FROM passing GROUP BY label HAVING count(*) >= $min_label_count
), frequent AS (
    SELECT DISTINCT key FROM passing SEMI JOIN counted USING (label)
)
SELECT key, shard, position, labels, CASE WHEN kept_key <> key THEN kept_key END AS duplicate_of,
       CASE WHEN shared_reason IS NOT NULL THEN shared_reason
            WHEN text_area > $max_text_area_t2i THEN 'text_area' END AS t2i_reason,
       CASE WHEN shared_reason IS NOT NULL THEN shared_reason
            WHEN num_frames < $min_frames THEN 'few_frames'
            WHEN text_area > least($max_text_area, $max_text_area_t2i) THEN 'text_area'
            WHEN key NOT IN (SELECT key FROM frequent) THEN 'rare_label' END AS t2v_reason
FROM judged ORDER BY shard, position
"""

SWEEP = """
WITH labelled AS (
    SELECT unnest(CASE WHEN len(labels) = 0 THEN [''] ELSE labels END) AS label, key FROM candidates
    WHERE kept_key = key AND (len(labels) > 0 OR NOT $require_label) AND is_readable
      AND num_frames >= $min_frames AND text_area <= least($max_text_area, $max_text_area_t2i)
), counted AS (SELECT label, count(*) AS num_samples FROM labelled GROUP BY label)
SELECT count(DISTINCT key), count(DISTINCT label) FROM labelled JOIN counted USING (label)
WHERE num_samples >= $min_label_count
"""

SWEEP_MIN_FRAMES = (2, 5, 9, 17)
SWEEP_MAX_TEXT_AREAS = (0.05, 0.1, 0.25, 1.0)
SWEEP_MIN_LABEL_COUNTS = (1, 5, 20, 101, 1001)


def decide(tables: duckdb.DuckDBPyConnection, config: SelectConfig) -> pa.Table:
    """Return one row per probed sample: key, shard, position, labels, duplicate_of, t2i_reason, t2v_reason.

    `tables` holds samples, probe and text, as pipeline.tables opens them. A null reason means chosen.
    """
    _create_candidates(tables, config)
    t2i_area = config.max_text_area if config.max_text_area_t2i is None else config.max_text_area_t2i
    thresholds = {
        "require_label": config.require_label,
        "min_frames": config.min_frames,
        "max_text_area": config.max_text_area,
        "max_text_area_t2i": t2i_area,
        "min_label_count": config.min_label_count,
    }
    return tables.sql(DECISIONS, params=thresholds).to_arrow_table()


def sweep(tables: duckdb.DuckDBPyConnection, config: SelectConfig) -> list[dict[str, float | int]]:
    """Count the samples and labels that t2v would keep at other thresholds, the configured ones among them."""
    _create_candidates(tables, config)
    fixed = {
        "require_label": config.require_label,
        "max_text_area_t2i": 1.0 if config.max_text_area_t2i is None else config.max_text_area_t2i,
    }
    rows: list[dict[str, float | int]] = []
    for min_frames in _with(SWEEP_MIN_FRAMES, config.min_frames):
        for max_text_area in _with(SWEEP_MAX_TEXT_AREAS, config.max_text_area):
            for min_label_count in _with(SWEEP_MIN_LABEL_COUNTS, config.min_label_count):
                thresholds: dict[str, float | int] = {
                    "min_frames": int(min_frames),
                    "max_text_area": max_text_area,
                    "min_label_count": int(min_label_count),
                }
                found = tables.execute(SWEEP, {**thresholds, **fixed}).fetchone()
                assert found is not None
                rows.append({**thresholds, "num_samples": found[0], "num_labels": found[1]})
    return rows


def _create_candidates(tables: duckdb.DuckDBPyConnection, config: SelectConfig) -> None:
    query = CANDIDATES.replace("$count_distinct", str(config.count_frames == "distinct"))
    tables.execute(query.replace("$drop_duplicates", str(config.drop_duplicates)))


def _with(values: Iterable[float], configured: float) -> list[float]:
    return sorted({*values, configured})

"""Choose: all samples of a root -> those that the report shows, by lot and the same each time; and groups of copies.

While a root has no more samples than are shown, all of them are. Else every outcome and reason gets as many as any
other, as far as it has them, and in each of these every label takes its turn: what is rare is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

SEED = "look"
MAX_GROUPS, MAX_MEMBERS = 60, 8  # groups of copies on the page, the largest; files of a group shown

CREATE_POOL = """
CREATE OR REPLACE TEMP TABLE pool (
    key VARCHAR, shard VARCHAR, position INT, ordinal BIGINT, label VARCHAR, labels VARCHAR[],
    fate VARCHAR, stage VARCHAR, why VARCHAR, detail VARCHAR, t2v_fate VARCHAR, t2v_stage VARCHAR, t2v_reason VARCHAR,
    outcome VARCHAR, out_stage VARCHAR, out_reason VARCHAR, duplicate_of VARCHAR
)
"""

FILL_POOL = """
INSERT INTO pool
SELECT s.key, s.shard, s.position, n.number * {positions} + s.position, s.label,
       coalesce(d.labels, CASE WHEN s.label IS NULL THEN []::VARCHAR[] ELSE [s.label] END),
       s.fate, s.stage, s.why, left(s.detail, 2000), s.t2v_fate, s.t2v_stage, s.t2v_reason,
       s.outcome, s.out_stage, s.out_reason, s.duplicate_of
FROM told s JOIN shards n USING (shard) LEFT JOIN decisions d USING (key)
"""

CHOOSE = f"""
WITH drawn AS (SELECT key, outcome, out_stage, out_reason, label, md5_number(concat('{SEED}', key)) AS lot FROM pool),
by_label AS (
    SELECT *, row_number() OVER (PARTITION BY outcome, out_stage, out_reason, label ORDER BY lot) AS turn FROM drawn
),
by_reason AS (
    SELECT key, lot, row_number() OVER (PARTITION BY outcome, out_stage, out_reason ORDER BY turn, lot) AS turn
    FROM by_label
),
taken AS (SELECT * FROM by_reason ORDER BY turn, lot LIMIT $limit),
shown AS (SELECT * FROM taken UNION SELECT * FROM by_reason WHERE key IN (SELECT unnest($also::VARCHAR[]))),
counted AS (
    SELECT p.key, max(c.num_samples) AS label_count
    FROM (SELECT key, unnest(labels) AS label FROM pool SEMI JOIN shown USING (key)) p JOIN label_counts c USING (label)
    GROUP BY p.key
)
SELECT p.* EXCLUDE (ordinal), coalesce(c.label_count, 0),
       row_number() OVER (ORDER BY s.turn, s.lot) - 1 AS mixed, row_number() OVER (ORDER BY p.ordinal) - 1
FROM pool p JOIN shown s USING (key) LEFT JOIN counted c USING (key) ORDER BY p.ordinal
"""

GROUPS = f"""
WITH members AS (SELECT duplicate_of AS kept, key, ordinal FROM pool WHERE duplicate_of IS NOT NULL)
SELECT kept, count(*) + 1, (list(key ORDER BY ordinal))[:{MAX_MEMBERS - 1}]
FROM members GROUP BY kept ORDER BY 2 DESC, kept LIMIT {MAX_GROUPS}
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sample to be shown: where its bytes lie, what became of it and why.

    label_count: how often its most frequent label is seen. mixed: its place where reasons and labels take turns.
    """

    key: str
    shard: str
    position: int
    label: str | None
    labels: list[str]
    fate: str
    stage: str
    why: str | None
    detail: str | None
    t2v_fate: str
    t2v_stage: str
    t2v_reason: str | None
    outcome: str
    out_stage: str | None
    out_reason: str | None
    duplicate_of: str | None
    label_count: int
    mixed: int
    order: int


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that are the same picture: the one that is kept first; `num` counts also those not shown."""

    kind: str
    num: int
    keys: tuple[str, ...]


def choose_samples(tables: duckdb.DuckDBPyConnection, limit: int, *, shown: Sequence[str] = ()) -> list[Chosen]:
    """Return at most `limit` samples of the pool in order of ingestion, and with them those that are shown anyway."""
    rows = tables.execute(CHOOSE, {"limit": limit, "also": list(shown)}).fetchall()
    return [Chosen(*row) for row in rows]


def group_copies(tables: duckdb.DuckDBPyConnection) -> tuple[list[Copies], int]:
    """Return the largest groups of exact copies, and how many groups there are."""
    count = "SELECT count(DISTINCT duplicate_of) FROM pool"
    ((num_groups,),) = tables.execute(count).fetchall()
    groups = [Copies("exact", num, (kept, *others)) for kept, num, others in tables.execute(GROUPS).fetchall()]
    return groups, num_groups

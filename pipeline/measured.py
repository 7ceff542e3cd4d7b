"""Measured: what all stages measured, and people said, about every sample of a root -> narrow tables to decide by.

Deciding looks at all samples at once (which are copies of which, how often is a label seen), so this is the one table
that is as long as the dataset: about 130 bytes per sample, on disk as far as memory does not suffice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from pipeline.plan import StagePlan
from pipeline.review.adopt import load_adopted
from pipeline.root import DatasetRoot
from pipeline.select import MEASURES, POSITIONS
from pipeline.tables import list_parts, load_groups, open_database
from schemas.manifest import Shard
from schemas.review import VERDICT

SAMPLES = ("key", "label", "reason")
MEASURED = {
    "probe": ("num_frames", "num_distinct_frames", "pixels_hash", "timing_hash"),
    "quality": ("seam_error", "max_flashes_per_second", "moving_area", "sharpness"),
    "text": ("text_area",),
}

TABLES = """
CREATE TABLE shards (number BIGINT, shard VARCHAR);
CREATE TABLE measured (
    ordinal BIGINT, key UUID, label VARCHAR, is_probed BOOLEAN, num_frames BIGINT, num_distinct_frames BIGINT,
    content UHUGEINT, seam_error DOUBLE, max_flashes_per_second DOUBLE, moving_area DOUBLE, sharpness DOUBLE,
    text_area DOUBLE, is_measured BOOLEAN, verdict VARCHAR
);
CREATE TABLE verdicts (key UUID, verdict VARCHAR);
CREATE TABLE own_captions (key UUID, captions STRUCT(field VARCHAR, text VARCHAR, reviewer VARCHAR)[]);
"""

INSERT = f"""
INSERT INTO measured
SELECT n.number * {POSITIONS} + s.position, s.key::UUID, s.label, s.reason IS NULL AND coalesce(p.status = 'ok', false),
       p.num_frames, p.num_distinct_frames, md5_number(concat(p.pixels_hash, p.timing_hash)),
       q.seam_error, q.max_flashes_per_second, q.moving_area, q.sharpness,
       coalesce(t.text_area, 0), coalesce(q.status, 'ok') = 'ok' AND coalesce(t.status, 'ok') = 'ok', v.verdict
FROM samples s JOIN shards n USING (shard)
LEFT JOIN probe p USING (key) LEFT JOIN quality q USING (key) LEFT JOIN text t USING (key)
LEFT JOIN verdicts v ON v.key = s.key::UUID
ORDER BY 1
"""

# What people said, as pipeline.review has it in the table `standing`.
REVIEW = f"""
INSERT INTO verdicts SELECT key::UUID, action FROM standing WHERE subject = '{VERDICT}';
INSERT INTO own_captions
SELECT key::UUID, list({{'field': subject, 'text': text, 'reviewer': reviewer}} ORDER BY subject)
FROM standing WHERE subject <> '{VERDICT}' GROUP BY key;
DROP TABLE standing;
"""


@contextmanager
def open_measured(
    root: DatasetRoot,
    plans: Mapping[str, StagePlan],
    *,
    load_review: Callable[[duckdb.DuckDBPyConnection, DatasetRoot], None] = load_adopted,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database with the tables that `Selection` reads; what is not measured yet is null, its text area 0.

    load_review: makes the table `standing`, as the last run went by it or as it is now.
    """
    with open_database() as connection:
        create_measured(connection, [shard.name for shard in root.read_manifest().shards])
        load_review(connection, root)
        connection.execute(REVIEW)
        parts = list_parts(root, plans, MEASURES)
        for _ in load_groups(connection, root, plans, parts, sample_columns=SAMPLES, columns=MEASURED):
            insert_measured(connection)
        yield connection


def create_measured(connection: duckdb.DuckDBPyConnection, shards: Sequence[str]) -> None:
    """Create the tables: `shards`, and empty ones for what is measured and what people said."""
    connection.execute(TABLES)
    for number, shard in enumerate(shards):
        connection.execute("INSERT INTO shards VALUES (?, ?)", [number, shard])


def insert_measured(connection: duckdb.DuckDBPyConnection) -> None:
    """Append what the tables samples, probe, quality and text hold, and the verdicts on them."""
    connection.execute(INSERT)


def ordinals_of(connection: duckdb.DuckDBPyConnection, group: Sequence[Shard]) -> tuple[int, int]:
    """Return the first ordinal of a group of neighbouring shards and the first after it."""
    if not group:
        return 0, 0
    ((lowest, highest),) = connection.execute(
        "SELECT min(number), max(number) FROM shards WHERE shard IN (?, ?)", [group[0].name, group[-1].name]
    ).fetchall()
    return lowest * POSITIONS, (highest + 1) * POSITIONS

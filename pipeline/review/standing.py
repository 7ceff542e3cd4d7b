"""Standing: all that was ever said about samples -> what stands of it, one row per sample and subject."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.answers import NUM_TRIES
from pipeline.review.parts import ROWS_AT_A_TIME, SCHEMA, read_parts
from pipeline.root import DatasetRoot
from pipeline.tables import open_database
from schemas.review import SUBJECTS, VERDICT
from schemas.storage import list_sizes

TOUCHED = f"""
SELECT *, unnest(CASE WHEN field IS NOT NULL THEN [field] WHEN action = 'clear' THEN {list(SUBJECTS)}
                      ELSE ['{VERDICT}'] END) AS subject
FROM said
"""

RANKED = f"""
SELECT *, row_number() OVER (
    PARTITION BY key, subject ORDER BY time DESC, id DESC, action, text, reviewer
) = 1 AS is_latest FROM ({TOUCHED})
"""

STANDING = f"""
CREATE OR REPLACE TEMP TABLE standing AS
SELECT key, subject, action, text, reviewer FROM ({RANKED}) WHERE is_latest AND action <> 'clear'
"""

HISTORY = f"""
SELECT {", ".join(SCHEMA.names)}, bool_or(is_latest) AS stands FROM ({RANKED}) GROUP BY ALL ORDER BY time DESC, id DESC
"""


def load_said(connection: duckdb.DuckDBPyConnection, root: DatasetRoot, keys: Sequence[str] = ()) -> None:
    """Make the table `said`: every decision about some samples, or all, each once, while others may be adding some."""
    for _ in range(NUM_TRIES - 1):
        sizes = list_sizes(root.review)
        with suppress(FileNotFoundError):
            _load(connection, read_parts(root, sizes, keys))
            if sizes == list_sizes(root.review):  # else parts may have been joined behind the back of a listing
                return
    _load(connection, read_parts(root, list_sizes(root.review), keys))


def _load(connection: duckdb.DuckDBPyConnection, tables: Iterator[pa.Table]) -> None:
    create_from(connection, "gathered", tables)
    connection.execute("CREATE OR REPLACE TEMP TABLE said AS SELECT DISTINCT * FROM gathered")
    connection.execute("DROP TABLE gathered")


def create_from(connection: duckdb.DuckDBPyConnection, name: str, tables: Iterator[pa.Table]) -> None:
    """Make a table of what at least one Arrow table holds, one after the other."""
    connection.register("incoming", next(tables))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
    for table in tables:
        connection.register("incoming", table)
        connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
    connection.unregister("incoming")


def load_standing(connection: duckdb.DuckDBPyConnection, root: DatasetRoot) -> None:
    """Make the table `standing` as of now: key, subject, action, text, reviewer."""
    load_said(connection, root)
    connection.execute(STANDING)
    connection.execute("DROP TABLE said")


def read_decisions(root: DatasetRoot, keys: Sequence[str] = (), *, limit: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield decisions, the latest first, each with whether it `stands`; about some samples or all, at most `limit`.

    Memory: DuckDB's own, and some thousand rows.
    """
    with open_database() as connection:
        load_said(connection, root, keys)
        found = connection.sql(HISTORY + (f" LIMIT {int(limit)}" if limit else ""))
        with found.to_arrow_reader(ROWS_AT_A_TIME) as batches:
            for batch in batches:
                yield from batch.to_pylist()

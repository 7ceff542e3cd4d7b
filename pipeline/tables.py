"""Tables: the Parquet files of a dataset root as DuckDB tables, without their big columns."""

from collections.abc import Iterable, Iterator, Mapping

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.answers import answer_tables
from pipeline.plan import StagePlan
from pipeline.root import DatasetRoot
from schemas.manifest import DatasetManifest

SAMPLE_COLUMNS = ["key", "source", "path", "label", "size_bytes", "reason", "detail"]
STATUS_COLUMNS = ["key", "status", "reason", "detail", "wants_video", "seconds", "waited_seconds", "tokens"]
SELECT_COLUMNS = {
    "probe": ["num_frames", "num_distinct_frames", "pixels_hash", "timing_hash"],
    "text": ["text_area"],
}


def open_tables(root: DatasetRoot, plans: Mapping[str, StagePlan], stages: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """Return a connection with the table `samples` and one table per stage of `stages`, one row per key."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    _create(connection, "samples", sample_tables(root, root.read_manifest()))
    for name in stages:
        plan = plans[name]
        columns = [*STATUS_COLUMNS, *SELECT_COLUMNS.get(name, [])]
        folder = root.stage_folder(name, plan.fingerprint)
        _create(connection, "parts", answer_tables(folder, columns, plan.stage.answer_type))
        connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT * EXCLUDE part FROM parts "
            "QUALIFY row_number() OVER (PARTITION BY key ORDER BY wants_video DESC, part) = 1"
        )
    return connection


def sample_tables(root: DatasetRoot, manifest: DatasetManifest) -> Iterator[pa.Table]:
    """Yield the samples shard by shard, without media, with their shard and position in it."""
    for shard in manifest.shards:
        table = pq.read_table(root.shard_path(shard.name), columns=SAMPLE_COLUMNS, partitioning=None)
        table = table.append_column("shard", pa.array([shard.name] * table.num_rows, pa.string()))
        yield table.append_column("position", pa.array(range(table.num_rows), pa.int32()))
    if not manifest.shards:
        names = [(name, pa.int64() if name == "size_bytes" else pa.string()) for name in SAMPLE_COLUMNS]
        yield pa.schema([*names, ("shard", pa.string()), ("position", pa.int32())]).empty_table()


def _create(connection: duckdb.DuckDBPyConnection, name: str, tables: Iterator[pa.Table]) -> None:
    """Load tables one after the other, so that only one of them is ever in Arrow memory."""
    for number, table in enumerate(tables):
        connection.register("incoming", table)
        if number == 0:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
        else:
            connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
        connection.unregister("incoming")

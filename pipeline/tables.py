"""Tables: the Parquet files of a dataset root as DuckDB tables, a group of shards at a time, without their big columns.

Memory: one group of shards, and what DuckDB may use; what is more goes to a temporary file beside it.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.answers import NUM_TRIES, Parts, answer_tables, parts_by_shard, read_ahead
from pipeline.plan import StagePlan
from pipeline.root import DatasetRoot
from schemas.manifest import Shard
from schemas.scratch import scratch_prefix

SAMPLE_COLUMNS = ("key", "source", "path", "label", "size_bytes", "reason", "detail")
STATUS_COLUMNS = ("key", "status", "wants_video")
GROUP_SAMPLES = 1 << 18
MEMORY_LIMIT = "1GB"


@contextmanager
def open_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database that lives on disk as far as its memory does not suffice, and is gone at the end."""
    with tempfile.TemporaryDirectory(prefix=scratch_prefix("tables"), ignore_cleanup_errors=True) as folder:
        connection = duckdb.connect(str(Path(folder) / "tables.duckdb"), config={"memory_limit": MEMORY_LIMIT})
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET temp_directory = '{folder}'")
            yield connection
        finally:
            connection.close()


def shard_groups(shards: Iterable[Shard], max_samples: int = GROUP_SAMPLES) -> Iterator[list[Shard]]:
    """Put neighbouring shards together; at least one group, which may be empty."""
    group: list[Shard] = []
    total = 0
    for shard in shards:
        if group and total + shard.num_samples > max_samples:
            yield group
            group, total = [], 0
        group.append(shard)
        total += shard.num_samples
    yield group


def list_parts(root: DatasetRoot, plans: Mapping[str, StagePlan], stages: Iterable[str]) -> dict[str, Parts]:
    """List the folder of each stage once."""
    return {name: parts_by_shard(root.stage_folder(name, plans[name].fingerprint)) for name in stages}


def load_groups(
    connection: duckdb.DuckDBPyConnection,
    root: DatasetRoot,
    plans: Mapping[str, StagePlan],
    parts: Mapping[str, Parts],
    *,
    sample_columns: Sequence[str],
    columns: Mapping[str, Sequence[str]],
) -> Iterator[list[Shard]]:
    """Make the table `samples` and one per stage of `parts`, one row per key, for each group of shards in turn.

    sample_columns: of SAMPLE_COLUMNS; with them come shard and position. columns: for some stages, what is wanted of
    their answers beside STATUS_COLUMNS.
    """
    current = dict(parts)
    for group in shard_groups(root.read_manifest().shards):
        _create(connection, "samples", "SELECT * FROM incoming", _sample_tables(root, group, sample_columns))
        for name in parts:
            wanted = [*STATUS_COLUMNS, *columns.get(name, ())]
            current[name] = _load_current(connection, root, plans[name], current[name], group, wanted)
        yield group


def _load_current(
    connection: duckdb.DuckDBPyConnection,
    root: DatasetRoot,
    plan: StagePlan,
    parts: Parts,
    group: Sequence[Shard],
    columns: Sequence[str],
) -> Parts:
    """Load what was listed; if a worker has joined parts since, list again, and return what is there now."""
    for _ in range(NUM_TRIES - 1):
        try:
            _load_answers(connection, plan, parts, group, columns)
            return parts
        except FileNotFoundError:
            parts = parts_by_shard(root.stage_folder(plan.stage.name, plan.fingerprint))
    _load_answers(connection, plan, parts, group, columns)
    return parts


def _load_answers(
    connection: duckdb.DuckDBPyConnection,
    plan: StagePlan,
    parts: Parts,
    group: Sequence[Shard],
    columns: Sequence[str],
) -> None:
    """Make the table of one stage, named as it is: the answers about a group of shards, the one that counts per key."""
    name = plan.stage.name
    listed = [parts.get(shard.name, ()) for shard in group]
    files = [part for of_shard in listed for part in of_shard]
    once = "QUALIFY row_number() OVER (PARTITION BY key ORDER BY wants_video DESC, part) = 1"
    is_repeated = any(len(of_shard) > 1 for of_shard in listed)  # within one part no key comes twice
    query = f"SELECT * EXCLUDE part FROM incoming {once if is_repeated else ''}"
    _create(connection, name, query, answer_tables(files, columns, plan.stage.answer_type))


def _sample_tables(root: DatasetRoot, group: Sequence[Shard], columns: Sequence[str]) -> Iterator[pa.Table]:
    if not group:
        names = [(name, pa.int64() if name == "size_bytes" else pa.string()) for name in columns]
        yield pa.schema([*names, ("shard", pa.string()), ("position", pa.int32())]).empty_table()
    files = [root.shard_path(shard.name) for shard in group]
    for shard, table in zip(group, read_ahead(files, columns), strict=True):
        table = table.append_column("shard", pa.repeat(pa.scalar(shard.name), table.num_rows))
        yield table.append_column("position", pa.array(range(table.num_rows), pa.int32()))


def _create(connection: duckdb.DuckDBPyConnection, name: str, query: str, tables: Iterator[pa.Table]) -> None:
    """Make a table of what a query says about `incoming`, which streams through: a few tables are in Arrow memory.

    Raises FileNotFoundError if one of the files behind it is gone.
    """
    first = next(tables)
    missing: list[FileNotFoundError] = []  # what is raised inside DuckDB comes out as an error of its own

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for table in chain([first], tables):
                yield from table.to_batches()
        except FileNotFoundError as error:
            missing.append(error)
            raise

    with closing(pa.RecordBatchReader.from_batches(first.schema, batches())) as incoming:
        connection.register("incoming", incoming)
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        except duckdb.Error as error:
            if missing:
                raise missing[0] from error
            raise
        finally:
            connection.unregister("incoming")

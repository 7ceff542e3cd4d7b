"""Groups: a table of signatures -> the table of near-duplicates, each with the best copy of its group.

Cost is linear: every signature has NUM_KEYS keys, is compared with at most NEIGHBOURS of those that share one, and in
each round with the best copy of what it hangs together with. Whoever is not close to that best copy is not of its
group, so a chain of small differences does not join what is different.

Memory: batches, what DuckDB may use, and 8 bytes per sample; the rest is on disk.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.near.distance import distances
from pipeline.near.keys import NUM_KEYS, band_keys
from pipeline.near.union import Union
from pipeline.quality.signature import NUM_BYTES, SIZE_STEPS, as_rows, unpack
from schemas.config import StrictConfig

BATCH = 1 << 16  # signatures
NEIGHBOURS = 6  # in the order of a key, with how many of those after it a signature is compared
CENTER_SLACK = 1.5  # times max_distance, how far a member may be from the best copy of what it hangs together with
NUM_ROUNDS = 8  # of forming groups; what is still apart after them stays alone


class NearConfig(StrictConfig):
    """What counts as alike."""

    max_distance: float = Field(9.5, ge=0, le=255)  # pipeline.near.distance; the larger, the more is joined


@dataclass(frozen=True, slots=True)
class NearCost:
    """What finding groups took."""

    num_signatures: int
    num_comparisons: int


Numbers = NDArray[np.int64]
Rows = NDArray[np.uint8]

# number: place in the order of ordinals.
LOOKS = f"""
CREATE OR REPLACE TEMP TABLE looks AS
SELECT row_number() OVER (ORDER BY ordinal) - 1 AS number, ordinal, signature, num_distinct_frames,
       width::BIGINT * height AS canvas_pixels
FROM {{table}} WHERE octet_length(signature) = {NUM_BYTES} ORDER BY ordinal
"""

SHARED_KEY = """
SELECT number, key, signature FROM (
    SELECT number, k{key} AS key, p{key} AS place FROM near_keys
    SEMI JOIN (SELECT k{key} FROM near_keys GROUP BY k{key} HAVING count(*) > 1) USING (k{key})
) JOIN looks USING (number) ORDER BY key, place, number
"""

# The best copy: most pixels in the content, then most distinct frames, then the first.
BEST = """
CREATE OR REPLACE TEMP TABLE best AS
SELECT {block} AS block, component,
       min_by(number, {{'pixels': -pixels, 'frames': -num_distinct_frames, 'number': number}}) AS center
FROM open_members JOIN looks USING (number) JOIN near_keys USING (number) GROUP BY ALL HAVING count(*) > 1
"""

AGAINST_BEST = """
SELECT m.number, b.center, one.signature, other.signature AS center_signature
FROM open_members m JOIN near_keys USING (number) JOIN best b ON b.component = m.component AND b.block = {block}
JOIN looks one ON one.number = m.number JOIN looks other ON other.number = b.center
WHERE m.number <> b.center
"""

SETTLE = (
    "INSERT INTO members SELECT number, center FROM found",
    "INSERT INTO members SELECT DISTINCT center, center FROM found",
    "DELETE FROM open_members WHERE number IN (SELECT number FROM members)",
)

GROUPS = """
CREATE OR REPLACE TEMP TABLE near_groups AS
SELECT one.ordinal AS ordinal, other.ordinal AS near_group
FROM members m JOIN looks one ON one.number = m.number JOIN looks other ON other.number = m.center ORDER BY 1
"""


def group_near(connection: duckdb.DuckDBPyConnection, table: str, *, config: NearConfig) -> NearCost:
    """Make the table `near_groups` (ordinal, near_group): the members of each group of two or more, the best included.

    table: its name; columns ordinal BIGINT, signature BLOB (null: not looked at), width, height, num_distinct_frames.
    near_group is the ordinal of the best copy. The result does not depend on the order of the rows.
    """
    connection.execute(LOOKS.format(table=table))
    num = _store_keys(connection)
    union, num_comparisons = Union(num), 0
    for key in range(NUM_KEYS):
        num_comparisons += _link_neighbours(connection, key, union, config=config)
    _open_members(connection, union, num)
    for block in ("0", *(f"k{key}" for key in range(NUM_ROUNDS - 1))):
        num_comparisons += _join_best(connection, block, config=config)
    connection.execute(GROUPS)
    return NearCost(num, num_comparisons)


def _store_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the table of keys and of the content's pixels; return the number of signatures."""
    columns = ", ".join(f"k{key} UBIGINT, p{key} FLOAT" for key in range(NUM_KEYS))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE near_keys (number BIGINT, pixels BIGINT, {columns})")
    num, largest = connection.execute("SELECT count(*), coalesce(max(number), -1) FROM looks").fetchall()[0]
    for first in range(0, largest + 1, BATCH):
        looks = connection.sql(
            "SELECT number, signature, canvas_pixels FROM looks WHERE number BETWEEN $first AND $last ORDER BY number",
            params={"first": first, "last": first + BATCH - 1},
        ).to_arrow_table()
        rows = _rows(looks, "signature")
        keys, places = band_keys(rows)
        pixels = np.minimum(content_pixels(rows), looks["canvas_pixels"].to_numpy())
        found = {"number": looks["number"], "pixels": pixels}
        for key in range(NUM_KEYS):
            found |= {f"k{key}": keys[:, key], f"p{key}": places[:, key]}
        _insert(connection, "INSERT INTO near_keys SELECT * FROM found", pa.table(found))
    return int(num)


def _link_neighbours(connection: duckdb.DuckDBPyConnection, key: int, union: Union, *, config: NearConfig) -> int:
    """Compare those that share a key with their neighbours in its order; return the number of comparisons."""
    num_comparisons = 0
    numbers, keys, rows = np.empty(0, np.int64), np.empty(0, np.uint64), np.empty((0, NUM_BYTES), np.uint8)
    for batch in connection.sql(SHARED_KEY.format(key=key)).to_arrow_reader(BATCH):
        num_old = len(numbers)
        numbers = np.concatenate([numbers, batch["number"].to_numpy()])
        keys = np.concatenate([keys, batch["key"].to_numpy()])
        rows = np.concatenate([rows, _rows(batch, "signature")])
        for step in range(1, NEIGHBOURS + 1):
            later = np.arange(max(num_old, step), len(numbers))
            later = later[keys[later] == keys[later - step]]
            num_comparisons += len(later)
            later = later[distances(rows[later - step], rows[later]) <= config.max_distance]
            union.add(numbers[later - step], numbers[later])
        numbers, keys, rows = (numbers[-NEIGHBOURS:], keys[-NEIGHBOURS:], rows[-NEIGHBOURS:])
    return num_comparisons


def _open_members(connection: duckdb.DuckDBPyConnection, union: Union, num: int) -> None:
    """Make the table of what is linked to anything, by component, and the empty one of members of groups."""
    connection.execute("CREATE OR REPLACE TEMP TABLE open_members (number BIGINT, component BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE members (number BIGINT, center BIGINT)")
    for first in range(0, num, BATCH):
        numbers = np.arange(first, min(first + BATCH, num))
        found = pa.table({"number": numbers, "component": union.find(numbers)})
        _insert(connection, "INSERT INTO open_members SELECT * FROM found", found)
    connection.execute(
        "DELETE FROM open_members WHERE component IN "
        "(SELECT component FROM open_members GROUP BY component HAVING count(*) = 1)"
    )


def _join_best(connection: duckdb.DuckDBPyConnection, block: str, *, config: NearConfig) -> int:
    """Make groups of what is close to the best copy of its block; return the number of comparisons."""
    connection.execute(BEST.format(block=block))
    num_comparisons = 0
    close: list[pa.RecordBatch] = []  # 16 bytes for each
    for batch in connection.sql(AGAINST_BEST.format(block=block)).to_arrow_reader(BATCH):
        num_comparisons += batch.num_rows
        apart = distances(_rows(batch, "signature"), _rows(batch, "center_signature"))
        is_close = apart <= CENTER_SLACK * config.max_distance
        close.append(batch.select(["number", "center"]).filter(pa.array(is_close)))
    if close:
        for statement in SETTLE:
            _insert(connection, statement, pa.Table.from_batches(close))
    return num_comparisons


def content_pixels(rows: Rows) -> Numbers:
    """Return how many pixels the content of each signature (N, NUM_BYTES) has, to within three percent."""
    return np.asarray(np.exp2(unpack(rows).size / SIZE_STEPS), np.int64)


def _rows(table: pa.Table | pa.RecordBatch, column: str) -> Rows:
    """Return a column of signatures as (N, NUM_BYTES)."""
    return as_rows(table[column].to_pylist())


def _insert(connection: duckdb.DuckDBPyConnection, query: str, found: pa.Table) -> None:
    connection.register("found", found)
    try:
        connection.execute(query)
    finally:
        connection.unregister("found")

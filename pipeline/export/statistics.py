"""Statistics of a training set: its Parquet files -> what a dataset card says in numbers.

One narrow table in DuckDB, filled file by file; pictures are never read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from pipeline.answers import read_ahead
from pipeline.export.columns import TrainingSet
from pipeline.tables import open_database
from schemas.location import Location

MAX_SHOWN = 50  # labels, licences, ... that are listed one by one

# What sources call their columns.
LICENCE_NAMES = ("license", "licence", "License", "Licence", "rights")
ORIGIN_NAMES = ("source", "source_url", "url", "author", "artist", "creator", "attribution")

MEASURED = {  # as the card calls it -> of which column
    "frames": "num_frames",
    "distinct frames": "num_distinct_frames",
    "one round in ms": "duration_ms",
    "width in pixels": "width",
    "height in pixels": "height",
    "part of the canvas with text": "text_area",
}
COUNTED = ("label", "source", "source_format", "clean_outcome")


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over all samples that have it."""

    least: float
    median: float
    high: float  # 95 of 100 are at most that
    most: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How many samples have which value: the most frequent ones; None stands for those that have none."""

    num_values: int
    frequent: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True)
class SetStatistics:
    """The numbers of a card. spreads, counts: by MEASURED and COUNTED; origins: samples by name of an extra column."""

    spreads: dict[str, Spread]
    counts: dict[str, Counts]
    licences: Counts
    origins: dict[str, int]
    models: tuple[tuple[str, str], ...]  # column, model
    num_transparent: int


def measure_set(files: Sequence[Location], training_set: TrainingSet) -> SetStatistics:
    """Read the narrow columns of all files once. Same files, same numbers."""
    names = {column.name for column in training_set.columns}
    measured = {title: name for title, name in MEASURED.items() if name in names}
    models = sorted(name for name in names if name.endswith("_model"))
    with open_database() as database:
        _load(database, files, [*measured.values(), *COUNTED, *models, "has_alpha", "extra"], models)
        return SetStatistics(
            spreads={title: found for title, name in measured.items() if (found := _spread(database, name))},
            counts={name: _counts(database, name) for name in COUNTED},
            licences=_counts(database, "licence"),
            origins=_origins(database),
            models=tuple(sorted(database.execute("SELECT DISTINCT * FROM models").fetchall())),
            num_transparent=_one(database, "SELECT count(*) FILTER (has_alpha) FROM samples"),
        )


def _load(
    database: duckdb.DuckDBPyConnection, files: Sequence[Location], columns: Sequence[str], models: Iterable[str]
) -> None:
    """Make `samples`, with the licence and the origins found in `extra`, and `models`, who wrote which column."""
    extra = "CASE WHEN json_valid(extra) THEN extra::JSON END"
    found = {name: f"nullif(trim(json_extract_string({extra}, '$.\"{name}\"')), '')" for name in _extra_names()}
    licence = f"coalesce({', '.join(found[name] for name in LICENCE_NAMES)})"
    origins = ", ".join(f'{found[name]} IS NOT NULL AS "has {name}"' for name in ORIGIN_NAMES)
    kept = ", ".join(name for name in columns if name != "extra" and name not in set(models))
    query = f"SELECT {kept}, {licence} AS licence, {origins} FROM incoming"
    writers = " UNION ".join(f"SELECT '{name}', {name} FROM incoming WHERE {name} <> ''" for name in models)
    database.execute("CREATE TABLE models (name VARCHAR, model VARCHAR)")
    is_first = True
    for table in read_ahead(files, columns):
        database.register("incoming", table)
        database.execute(f"CREATE TABLE samples AS {query}" if is_first else f"INSERT INTO samples {query}")
        database.execute(f"INSERT INTO models {writers} EXCEPT SELECT * FROM models")
        database.unregister("incoming")
        is_first = False
    if is_first:
        none = ", ".join(f"NULL::VARCHAR AS {name}" for name in columns if name not in set(models))
        empty = query.replace("FROM incoming", f"FROM (SELECT {none}) LIMIT 0")
        database.execute(f"CREATE TABLE samples AS {empty}")


def _extra_names() -> tuple[str, ...]:
    return tuple(dict.fromkeys([*LICENCE_NAMES, *ORIGIN_NAMES]))


def _spread(database: duckdb.DuckDBPyConnection, name: str) -> Spread | None:
    numbers = f"min({name}), quantile_disc({name}, [0.5, 0.95]), max({name})"
    least, middle, most = _row(database, f"SELECT {numbers} FROM samples")
    return None if least is None else Spread(float(least), float(middle[0]), float(middle[1]), float(most))


def _counts(database: duckdb.DuckDBPyConnection, name: str) -> Counts:
    rows = database.execute(
        f"SELECT {name}, count(*) AS num FROM samples GROUP BY {name} "
        f"ORDER BY num DESC, {name} NULLS LAST LIMIT {MAX_SHOWN}"
    ).fetchall()
    return Counts(_one(database, f"SELECT count(DISTINCT {name}) FROM samples"), tuple(rows))


def _origins(database: duckdb.DuckDBPyConnection) -> dict[str, int]:
    counts = ", ".join(f'count(*) FILTER ("has {name}")' for name in ORIGIN_NAMES)
    found = zip(ORIGIN_NAMES, _row(database, f"SELECT {counts} FROM samples"), strict=True)
    return {name: int(num) for name, num in found if num}


def _one(database: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(_row(database, query)[0])


def _row(database: duckdb.DuckDBPyConnection, query: str) -> tuple:  # type: ignore[type-arg]
    row = database.execute(query).fetchone()
    assert row is not None, query
    return row

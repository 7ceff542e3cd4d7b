"""Read: chosen samples -> their bytes and what every stage answered about them, row group by row group.

A row group without a chosen sample is not read, so reading costs what is shown, not what is there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.answers import NUM_TRIES, part_schema, shard_parts
from pipeline.plan import Plans
from pipeline.report.choose import Chosen
from pipeline.root import DatasetRoot
from schemas.location import Location
from schemas.sample import Sample
from schemas.storage import open_parquet
from schemas.table import arrow_schema

Row = Mapping[str, Any]


def read_chosen(
    root: DatasetRoot, plans: Plans, chosen: Sequence[Chosen]
) -> Iterator[tuple[Chosen, Row, dict[str, Row]]]:
    """Yield each chosen sample with its row in the media shard and the answers of the stages, in order of ingestion."""
    for shard, members in groupby(chosen, key=lambda each: each.shard):
        of_shard = list(members)
        answers = {name: _read_stage(root, plans, name, shard, of_shard) for name in plans}
        for each, row in _read_media(root.shard_path(shard), of_shard):
            yield each, row, {name: rows[each.key] for name, rows in answers.items() if each.key in rows}


def _read_media(path: Location, chosen: Sequence[Chosen]) -> Iterator[tuple[Chosen, Row]]:
    """Read the rows at known positions, one row group in memory."""
    by_group: defaultdict[int, list[tuple[Chosen, int]]] = defaultdict(list)
    with open_parquet(path) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        number = first = 0
        for each in sorted(chosen, key=lambda each: each.position):
            while each.position >= first + sizes[number]:
                first += sizes[number]
                number += 1
            by_group[number].append((each, each.position - first))
        for number, places in by_group.items():
            table = file.read_row_group(number, columns=arrow_schema(Sample).names)
            for each, place in places:
                (row,) = table.slice(place, 1).to_pylist()
                assert row["key"] == each.key, "positions are those of the shard"
                yield each, row


def _read_stage(root: DatasetRoot, plans: Plans, name: str, shard: str, chosen: Sequence[Chosen]) -> dict[str, Row]:
    """Read what a stage answered about some samples of a shard, while workers may be joining its parts."""
    plan = plans[name]
    folder = root.stage_folder(name, plan.fingerprint)
    keys = pa.array([each.key for each in chosen])
    columns = part_schema(plan.stage.answer_type).names
    for _ in range(NUM_TRIES - 1):
        try:
            return _read_parts(shard_parts(folder, shard), keys, columns)
        except FileNotFoundError:
            continue
    return _read_parts(shard_parts(folder, shard), keys, columns)


def _read_parts(parts: Sequence[Location], keys: pa.Array, columns: Sequence[str]) -> dict[str, Row]:
    answers: dict[str, Row] = {}
    for part in parts:
        with open_parquet(part) as file:
            for number in range(file.num_row_groups):
                is_wanted = pc.is_in(file.read_row_group(number, columns=["key"])["key"], value_set=keys)
                if not pc.any(is_wanted).as_py():
                    continue
                for row in file.read_row_group(number, columns=list(columns)).filter(is_wanted).to_pylist():
                    known = answers.get(row["key"])
                    if known is None or row["wants_video"] > known["wants_video"]:
                        answers[row["key"]] = row
    return answers

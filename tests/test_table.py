"""Dataclasses go through Parquet and come back as they were."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.answers import CleanAnswer, ProbeAnswer, TextAnswer
from schemas.table import arrow_schema, from_row, to_rows
from schemas.text import TextPlace, TextTrack


def test_nested_answers_round_trip_through_parquet(tmp_path: Path) -> None:
    place = TextPlace(0, 3, [0.0, 1.5, 9.0, 1.5, 9.0, 4.0, 0.0, 4.0])
    track = TextTrack("哈哈", "zh", 0.98, 0, 3, [place])
    answers = [TextAnswer("哈哈", 0.25, 4, [track], "m"), TextAnswer("", 0.0, 1, [], "m")]
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_pylist(to_rows(answers), arrow_schema(TextAnswer)), path)
    assert [from_row(TextAnswer, row) for row in pq.read_table(path).to_pylist()] == answers


def test_only_optional_fields_are_nullable() -> None:
    nullable = {field.name for field in arrow_schema(CleanAnswer) if field.nullable}
    assert nullable == {"clean_reason", "clean_media", "clean_mask"}
    assert arrow_schema(CleanAnswer).field("clean_media").type == pa.large_binary()
    assert arrow_schema(ProbeAnswer).field("delays_ms").type.value_type == pa.int64()

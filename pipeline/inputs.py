"""Inputs: the row groups of a media shard, joined with what earlier stages answered, sample by sample."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import accumulate
from types import TracebackType
from typing import Any

from pipeline.answers import BIG_COLUMNS, OK, Parts, read_answers, read_big_columns
from pipeline.root import DatasetRoot
from pipeline.stages.stage import ANSWERS, StageInput
from schemas.answers import Answer
from schemas.sample import Sample
from schemas.storage import open_parquet
from schemas.table import arrow_schema, from_row

Rows = Mapping[str, Mapping[str, Any]]

SAMPLE_COLUMNS = arrow_schema(Sample).names
NOT_ASKED: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bytes and answers come along."""

    stages: tuple[str, ...]
    video_only: frozenset[str] = frozenset()
    media: bool = True
    cleaned_media: bool = False


class ShardInputs(AbstractContextManager["ShardInputs"]):
    """One open shard and the answers about its samples; close it, or use it in a `with`."""

    def __init__(self, root: DatasetRoot, shard: str, wanted: Wanted, parts: Mapping[str, Parts]) -> None:
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open_parquet(root.shard_path(shard)))
        metadata = self._file.metadata
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(sizes)]  # of each row group, and the end of the last
        self._wanted = wanted
        self._answers: dict[str, Rows] = {
            name: read_answers(parts[name].get(shard, ()), _columns(name)) for name in wanted.stages
        }

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def row_groups(self, rows: range) -> range:
        """Return the row groups that hold some of these rows, given by their place in the shard."""
        return range(bisect_right(self._starts, rows.start) - 1, bisect_left(self._starts, rows.stop))

    def has_video_answers(self, key: str) -> bool:
        """True if every stage that only asks samples chosen for t2v has answered this one."""
        return all(self._is_ok(name, key) for name in self._wanted.video_only)

    def is_ready(self, key: str, *, wants_video: bool) -> bool:
        """True if every stage whose answer comes along has answered this sample."""
        return all(self._is_ok(name, key) for name in self._stages(wants_video))

    def has(self, row_group: int, rows: range, keep: Callable[[str], bool]) -> bool:
        """True if `keep` asks for some sample of a row group that is among these rows of the shard."""
        return bool(self._places(row_group, rows, keep))

    def read(
        self, row_group: int, rows: range, keep: Callable[[str], bool], wants_video: Callable[[str], bool]
    ) -> list[StageInput]:
        """Read the samples of one row group that are among these rows and `keep` asks for; bytes only if any."""
        places = self._places(row_group, rows, keep)
        if not places:
            return []
        columns = [name for name in SAMPLE_COLUMNS if self._wanted.media or name != "media"]
        found = self._file.read_row_group(row_group, columns=columns).take(places).to_pylist()
        samples = [from_row(Sample, {"media": None, **row}) for row in found]
        big = self._read_cleaned_media(sample.key for sample in samples)
        return [self._input(each, big.get(each.key, {}), wants_video=wants_video(each.key)) for each in samples]

    def read_all(self, keep: Callable[[str], bool], wants_video: Callable[[str], bool]) -> Iterator[StageInput]:
        """Read every row group in turn."""
        rows = range(self._starts[-1])
        for row_group in self.row_groups(rows):
            yield from self.read(row_group, rows, keep, wants_video)

    def _places(self, row_group: int, rows: range, keep: Callable[[str], bool]) -> list[int]:
        start = self._starts[row_group]
        found = self._file.read_row_group(row_group, columns=["key", "reason"]).to_pylist()
        return [
            place
            for place, row in enumerate(found)
            if start + place in rows and row["reason"] is None and keep(row["key"])
        ]

    def _is_ok(self, stage: str, key: str) -> bool:
        return self._answers[stage].get(key, NOT_ASKED).get("status") == OK

    def _stages(self, wants_video: bool) -> Iterable[str]:
        return (name for name in self._wanted.stages if wants_video or name not in self._wanted.video_only)

    def _read_cleaned_media(self, keys: Iterable[str]) -> Rows:
        if not self._wanted.cleaned_media:
            return {}
        cleaned = (self._answers["clean"][key] for key in keys)
        return read_big_columns((row for row in cleaned if row["clean_outcome"] == "cleaned"), ["clean_media"])

    def _input(self, sample: Sample, big: Mapping[str, Any], *, wants_video: bool) -> StageInput:
        answers: dict[str, Answer] = {}
        for name in self._stages(wants_video):
            row = {**dict.fromkeys(BIG_COLUMNS), **self._answers[name][sample.key], **big}
            answers[name] = from_row(ANSWERS[name], row)
        return StageInput(sample, answers, wants_video=wants_video)


def _columns(stage: str) -> list[str]:
    own = [name for name in arrow_schema(ANSWERS[stage]).names if name not in BIG_COLUMNS]
    return ["key", "status", "wants_video", *own]

"""Answers on disk: flushed in pieces, read back as one table, and nothing half-written is ever seen."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.answers import (
    FlushConfig,
    PartWriter,
    count_rows,
    part_schema,
    parts_by_shard,
    read_answers,
    read_big_columns,
)
from schemas.answers import CleanAnswer, ImageCaptionAnswer
from schemas.storage import list_finished, remove_unfinished, written_aside


def row(key: str, *, caption: str = "a caption", wants_video: bool = False) -> dict[str, Any]:
    status = {"key": key, "status": "ok", "reason": None, "detail": None, "seconds": 0.1}
    status |= {"waited_seconds": 0.0, "cpu_seconds": 0.1}
    return {**status, "wants_video": wants_video, "image_caption": caption, "image_caption_model": "m"}


def writer(folder: Path, config: FlushConfig | None = None) -> PartWriter:
    return PartWriter(folder, "00000", part_schema(ImageCaptionAnswer), config or FlushConfig())


def test_parts_are_flushed_by_rows_and_counted_by_name(tmp_path: Path) -> None:
    parts = writer(tmp_path, FlushConfig(samples=4))
    for number in range(10):
        parts.add(row(f"k{number}"))
    assert (len(list_finished(tmp_path)), count_rows(tmp_path)) == (2, 8)
    parts.flush()
    assert (len(list_finished(tmp_path)), count_rows(tmp_path)) == (3, 10)
    parts.flush()
    assert len(list_finished(tmp_path)) == 3, "nothing to flush, nothing written"


def test_parts_are_flushed_by_time(tmp_path: Path) -> None:
    parts = writer(tmp_path, FlushConfig(seconds=1e-9))
    parts.add(row("a"))
    assert count_rows(tmp_path) == 1


def test_first_part_by_name_wins_unless_another_answers_more(tmp_path: Path) -> None:
    for caption, wants_video in (("first", False), ("second", False), ("with video", True), ("late", True)):
        parts = writer(tmp_path)
        parts.add(row("a", caption=caption, wants_video=wants_video))
        parts.flush()
    paths = parts_by_shard(tmp_path)["00000"]
    assert len(paths) == 4
    columns = ["key", "wants_video", "image_caption"]
    assert read_answers(paths[:2], columns)["a"]["image_caption"] == "first"
    assert read_answers(paths, columns)["a"]["image_caption"] == "with video"


def write_parts(folder: Path, *captions: str) -> None:
    """Let two workers answer the same sample in turn, each part by another; both come to their end."""
    config = FlushConfig(samples=1)
    mine, theirs = writer(folder, config), writer(folder, config)
    for number, caption in enumerate(captions):
        key = "a" if caption != "own" else f"own-{number}"
        (theirs if caption.startswith("their") else mine).add(row(key, caption=caption))
    mine.finish()
    theirs.finish()


@pytest.mark.parametrize(
    ("captions", "first", "num_parts"),
    [
        (("own", "their first", "my second"), "their first", 3),
        (("my first", "their second", "own"), "my first", 3),
        (("own", "my first", "their second"), "my first", 2),
    ],
)
def test_joining_parts_never_changes_which_answer_counts(
    tmp_path: Path, captions: tuple[str, ...], first: str, num_parts: int
) -> None:
    write_parts(tmp_path, *captions)
    parts = parts_by_shard(tmp_path)["00000"]
    assert len(parts) == num_parts
    assert read_answers(parts, ["key", "wants_video", "image_caption"])["a"]["image_caption"] == first


def test_big_columns_are_read_only_for_the_rows_asked(tmp_path: Path) -> None:
    parts = PartWriter(tmp_path, "00000", part_schema(CleanAnswer), FlushConfig())
    for key in ("a", "b"):
        status = {
            "key": key,
            "status": "ok",
            "reason": None,
            "detail": None,
            "seconds": 0.1,
            "waited_seconds": 0.0,
            "cpu_seconds": 0.1,
            "wants_video": False,
        }
        own = dict.fromkeys(part_schema(CleanAnswer).names) | {"clean_media": key.encode() * 3}
        parts.add({**own, **status})
    parts.flush()
    rows = read_answers(list_finished(tmp_path), ["key", "wants_video"])
    assert read_big_columns([rows["b"]], ["clean_media"]) == {"b": {"key": "b", "clean_media": b"bbb"}}


def test_half_written_files_are_never_seen_and_can_be_swept_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), written_aside(tmp_path / "a.parquet") as aside:
        aside.write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    leftover = tmp_path / ".a.parquet.123-0123abcd"
    leftover.write_bytes(b"what a killed process leaves")
    assert list_finished(tmp_path) == []
    remove_unfinished(tmp_path)
    assert not leftover.exists()

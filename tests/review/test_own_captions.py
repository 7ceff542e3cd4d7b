"""What a person wrote takes the place of what a model wrote, and the row says what no longer goes with it."""

import json
from typing import Any

from pipeline.export.columns import T2I, T2V
from pipeline.export.own_captions import WRITERS, caption_fields, with_own_captions

WRITTEN = {
    **{name: f"the model's {name}" for name in WRITERS},
    "image_caption_model": "looker",
    "video_caption_model": "watcher",
    "summary_model": "shortener",
    "translation_model": "translator",
    "reviewed": None,
}


def fix(*fields: str, reviewer: str = "ann") -> list[dict[str, str]]:
    return [{"field": field, "text": f"{reviewer}'s {field}", "reviewer": reviewer} for field in fields]


def reviewed(row: dict[str, Any]) -> Any:
    return json.loads(row["reviewed"])


def changed(row: dict[str, Any]) -> set[str]:
    return {name for name, value in row.items() if value != WRITTEN[name] and name != "reviewed"}


def test_every_caption_of_a_set_can_be_written_by_hand() -> None:
    assert caption_fields(T2I) == ["image_caption", "image_caption_zh"]
    assert caption_fields(T2V) == list(WRITERS)
    row = with_own_captions(WRITTEN, fix(*WRITERS), T2V)
    assert {row[name] for name in WRITERS.values()} == {"review/ann"}
    assert [row[name] for name in WRITERS] == [f"ann's {name}" for name in WRITERS]
    assert reviewed(row) == {"by": dict.fromkeys(WRITERS, "ann"), "outdated": []}


def test_what_models_made_from_a_replaced_text_stays_and_is_named() -> None:
    row = with_own_captions(WRITTEN, fix("video_caption"), T2V)
    assert changed(row) == {"video_caption", "video_caption_model"}
    assert reviewed(row)["outdated"] == ["video_caption_zh", "summary", "summary_zh"]
    assert reviewed(with_own_captions(WRITTEN, fix("image_caption"), T2I))["outdated"] == ["image_caption_zh"]
    row = with_own_captions(WRITTEN, fix("image_caption", "summary"), T2V)
    assert reviewed(row)["outdated"] == ["image_caption_zh", "summary_zh"]


def test_a_translation_by_hand_is_named_beside_the_translator_of_the_rest() -> None:
    row = with_own_captions(WRITTEN, [*fix("summary_zh"), *fix("image_caption_zh", reviewer="bob")], T2V)
    assert row["translation_model"] == "review/bob + translator + review/ann"
    assert reviewed(row) == {"by": {"image_caption_zh": "bob", "summary_zh": "ann"}, "outdated": []}


def test_a_caption_that_a_set_has_not_changes_nothing_in_it() -> None:
    assert with_own_captions(WRITTEN, fix("summary", "video_caption_zh"), T2I) == WRITTEN
    assert with_own_captions(WRITTEN, (), T2V) == WRITTEN

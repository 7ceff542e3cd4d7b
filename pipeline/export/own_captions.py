"""Own captions: a row as models wrote it, and the captions that people wrote -> the row as it is exported."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.export.columns import TrainingSet

WRITERS = {
    "image_caption": "image_caption_model",
    "image_caption_zh": "translation_model",
    "video_caption": "video_caption_model",
    "video_caption_zh": "translation_model",
    "summary": "summary_model",
    "summary_zh": "translation_model",
}
"""Which column says who wrote a caption."""

MADE_FROM = {
    "image_caption_zh": ("image_caption",),
    "video_caption_zh": ("video_caption",),
    "summary": ("image_caption", "video_caption"),
    "summary_zh": ("summary",),
}
"""From which captions a model made another, each after those it was made from."""


def caption_fields(training_set: TrainingSet) -> list[str]:
    """Return the captions that a set has, in the order of `WRITERS`."""
    columns = {column.name for column in training_set.columns}
    return [name for name in WRITERS if name in columns]


def with_own_captions(
    row: Mapping[str, Any], captions: Sequence[Mapping[str, str]], training_set: TrainingSet
) -> dict[str, Any]:
    """Put captions that people wrote in the place of the models', and say so in the row.

    captions: each with field, text and reviewer. Nothing is translated or summarised anew: a text that a model made
    from one that was replaced stays, and is named as outdated in the column `reviewed`.
    """
    fields = caption_fields(training_set)
    own = {each["field"]: each for each in captions if each["field"] in fields}
    if not own:
        return dict(row)
    texts = {name: each["text"] for name, each in own.items()}
    by = {name: own[name]["reviewer"] for name in fields if name in own}
    reviewed = {"by": by, "outdated": outdated(set(own), fields)}
    return {**row, **texts, **_writers(row, by, fields), "reviewed": json.dumps(reviewed, ensure_ascii=False)}


def outdated(own: set[str], fields: Iterable[str] = WRITERS) -> list[str]:
    """Return those of `fields` that a model made from captions that were replaced, or from what it made of them."""
    changed = set(own)
    for name, sources in MADE_FROM.items():
        if changed.intersection(sources):
            changed.add(name)
    return [name for name in fields if name in changed - own]


def _writers(row: Mapping[str, Any], by: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """Name all who wrote what a column speaks for: one translator may have translated what others did not."""
    named: dict[str, list[str]] = {}
    for name in fields:
        column = WRITERS[name]
        writer = f"review/{by[name]}" if name in by else str(row[column])
        if writer not in named.setdefault(column, []):
            named[column].append(writer)
    return {column: " + ".join(writers) for column, writers in named.items()}

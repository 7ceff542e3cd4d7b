"""Samples: what is known about one sample -> the record that the page shows, with its pictures written beside it."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.answers import OK
from pipeline.report.choose import Chosen
from pipeline.report.pictures import Pictures, write_pictures

Row = Mapping[str, Any]

KEY = re.compile(r"[0-9a-f]{32}")
MAX_TEXT_CHARACTERS = 4000
MAX_TRACKS = 40
FIRST_BYTES = 16
CAPTIONS = (  # kind, stage that writes it, column, its translation
    ("picture", "image_caption", "image_caption", "image_caption_zh"),
    ("motion", "video_caption", "video_caption", "video_caption_zh"),
    ("summary", "summary", "summary", "summary_zh"),
)
PROBED = (
    "format",
    "width",
    "height",
    "num_frames",
    "num_distinct_frames",
    "duration_ms",
    "loop_count",
    "has_alpha",
    "motion_score",
    "warnings",
)
MEASURED = ("style", "sharpness", "moving_area", "seam_error", "is_ping_pong", "num_periods", "max_flashes_per_second")
CLEANED = (
    "clean_outcome",
    "clean_reason",
    "masked_pixels",
    "recovered_pixels",
    "flat_pixels",
    "invented_pixels",
    "residual_text",
    "inpaint_model",
)


def sample_record(chosen: Chosen, row: Row, answers: Mapping[str, Row], media: Path) -> dict[str, Any]:
    """Return the record of one sample as JSON has it, and write its pictures into the folder `media`."""
    assert KEY.fullmatch(chosen.key), "keys name files, so they are hex digits and nothing else"
    ok = {stage: answer for stage, answer in answers.items() if answer["status"] == OK}
    record = asdict(chosen)
    del record["shard"], record["position"]
    return {
        **record,
        "source": row["source"],
        "path": row["path"],
        "extra": _cut(row["extra"]),
        "size_bytes": row["size_bytes"],
        "pictures": asdict(_write_pictures(chosen, row, ok, media)),
        "head": (row["media"] or b"")[:FIRST_BYTES].hex(" ") if "probe" not in ok else None,
        "probe": _columns(ok.get("probe"), PROBED),
        "quality": _columns(ok.get("quality"), MEASURED),
        "text": _text(ok.get("text")),
        "clean": _columns(ok.get("clean"), CLEANED),
        "captions": _captions(ok),
        "seconds": {stage: round(answer["seconds"], 4) for stage, answer in answers.items()},
    }


def _write_pictures(chosen: Chosen, row: Row, ok: Mapping[str, Row], media: Path) -> Pictures:
    if "probe" not in ok or row["media"] is None:
        return Pictures()
    clean = ok.get("clean", {})
    return write_pictures(
        media, chosen.key, row["media"], cleaned=clean.get("clean_media"), mask=clean.get("clean_mask")
    )


def _columns(answer: Row | None, names: tuple[str, ...]) -> dict[str, Any] | None:
    return None if answer is None else {name: answer[name] for name in names}


def _text(answer: Row | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    tracks = [
        {
            "text": _cut(track["text"]),
            "language": track["language"],
            "score": round(track["score"], 3),
            "frames": [track["first_frame"], track["last_frame"]],
        }
        for track in answer["tracks"][:MAX_TRACKS]
    ]
    return {"text": _cut(answer["text"]), "area": answer["text_area"], "tracks": tracks, "model": answer["ocr_model"]}


def _captions(ok: Mapping[str, Row]) -> list[dict[str, Any]]:
    translated = ok.get("translation", {})
    return [
        {
            "kind": kind,
            "en": _cut(ok[stage][column]),
            "zh": _cut(translated.get(in_chinese)),
            "model": ok[stage][f"{column}_model"],
            "translator": translated.get("translation_model"),
        }
        for kind, stage, column, in_chinese in CAPTIONS
        if stage in ok
    ]


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_TEXT_CHARACTERS else text[: MAX_TEXT_CHARACTERS - 1] + "…"

"""Rows: one sample with its answers -> one row of a training set."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.export.columns import TrainingSet
from pipeline.export.own_captions import with_own_captions
from pipeline.media.encode import encode_webp
from pipeline.stages.stage import StageInput
from schemas.answers import CleanAnswer, ProbeAnswer


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """What was decided about a sample that is exported: its labels, and the captions that people wrote."""

    labels: Sequence[str]
    captions: Sequence[Mapping[str, str]]


def export_row(each: StageInput, *, chosen: Chosen, training_set: TrainingSet, fingerprints: str) -> dict[str, Any]:
    """Encode the sample's pictures and put all columns of the set together."""
    picture, own = PICTURES[training_set.name](each)
    sample = each.sample
    answered = {name: dataclasses.asdict(answer) for name, answer in each.answers.items()}
    known: dict[str, Any] = {
        **own,
        "key": sample.key,
        training_set.picture: {"bytes": picture, "path": f"{sample.key}.webp"},
        "label": sample.label,
        "labels": list(chosen.labels),
        "source": sample.source,
        "path": sample.path,
        "source_format": each.of(ProbeAnswer).format,
        "extra": sample.extra,
        "fingerprints": fingerprints,
        "reviewed": None,
    }
    row = {
        column.name: known[column.name] if column.stage is None else answered[column.stage][column.name]
        for column in training_set.columns
    }
    return with_own_captions(row, chosen.captions, training_set)


def _first_frame(each: StageInput) -> tuple[bytes, dict[str, Any]]:
    return encode_webp(each.first_clean_frame()[None]), {}


def _animation(each: StageInput) -> tuple[bytes, dict[str, Any]]:
    clean = each.of(CleanAnswer)
    if clean.clean_media is not None:
        run_lengths, media = clean.clean_run_lengths, clean.clean_media
    else:
        clip = each.original_clip()
        run_lengths, media = list(clip.run_lengths), encode_webp(clip.frames, clip.durations_ms)
    return media, {"run_lengths": run_lengths, "num_distinct_frames": len(run_lengths)}


PICTURES = {"t2i": _first_frame, "t2v": _animation}

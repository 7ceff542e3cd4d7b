"""Tiny dataset roots: hand-made clips, written as `mobius curate` exports them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mobius_model.data.config import DataConfig, Stage
from pipeline.export.columns import TRAINING_SETS
from pipeline.media.encode import encode_webp
from schemas.clip import run_durations_ms
from schemas.manifest import ExportFile, ExportManifest
from schemas.storage import file_sha256

PLAN = "0123456789ab"


@dataclass(frozen=True)
class TinyClip:
    """One sample to write; frames uint8 (D, H, W, 4)."""

    key: str
    frames: NDArray[np.uint8]
    run_lengths: tuple[int, ...]
    delays_ms: tuple[int, ...]
    loop_count: int | None = 0
    label: str | None = "开心"
    changes: dict[str, object] = field(default_factory=dict)  # columns to write otherwise


def key_of(number: int) -> str:
    return hashlib.md5(str(number).encode()).hexdigest()


def coloured_frames(*colours: tuple[int, int, int, int], size: tuple[int, int] = (8, 8)) -> NDArray[np.uint8]:
    """Frames of one colour each; size is height, width."""
    return np.stack([np.full((*size, 4), colour, np.uint8) for colour in colours])


def tiny_clip(number: int, *, num_frames: int | None = None) -> TinyClip:
    """A clip whose red tells its number and whose green tells the frame: 40 apart from 0 on."""
    count = num_frames or 1 + number % 5
    frames = coloured_frames(*((number % 256, 40 * index, 200, 255) for index in range(count)))
    return TinyClip(key_of(number), frames, (1,) * count, (100,) * count)


def write_set(
    root: Path,
    stage: Stage,
    clips: Sequence[TinyClip],
    *,
    group_samples: int = 4,
    file_samples: int = 12,
    plan: str = PLAN,
) -> Path:
    """Write an exported set with its manifest and return the root."""
    folder = root / stage
    folder.mkdir(parents=True)
    training_set = TRAINING_SETS[stage]
    schema = training_set.schema({"mobius.plan": plan})
    files = []
    for number, first in enumerate(range(0, len(clips), file_samples)):
        part = clips[first : first + file_samples]
        path = folder / f"{number:05d}-00.parquet"
        rows = [dict.fromkeys(schema.names) | _row(clip, stage) | clip.changes for clip in part]
        pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=group_samples)
        files.append(
            ExportFile(name=path.name, num_samples=len(part), size_bytes=path.stat().st_size, sha256=file_sha256(path))
        )
    manifest = ExportManifest(name=stage, plan=plan, num_samples=len(clips), files=files, fingerprints={}, config={})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return root


def _row(clip: TinyClip, stage: Stage) -> dict[str, object]:
    captions = {
        f"{name}{suffix}": f"{name}{suffix} {clip.key[:4]}"
        for name in ("image_caption", "video_caption", "summary")
        for suffix in ("", "_zh")
        if stage == "t2v" or name == "image_caption"
    }
    row: dict[str, object] = {"key": clip.key, "label": clip.label, **captions}
    if stage == "t2i":
        return row | {"image": {"bytes": encode_webp(clip.frames[:1]), "path": f"{clip.key}.webp"}}
    media = encode_webp(clip.frames, run_durations_ms(clip.run_lengths, clip.delays_ms))
    return row | {
        "animation": {"bytes": media, "path": f"{clip.key}.webp"},
        "run_lengths": list(clip.run_lengths),
        "delays_ms": list(clip.delays_ms),
        "loop_count": clip.loop_count,
    }


def small_config(**changes: object) -> DataConfig:
    """A config for 8 x 8 clips, read in the same process."""
    return DataConfig.model_validate({"size": 8, "num_frames": 4, "num_workers": 0, **changes})

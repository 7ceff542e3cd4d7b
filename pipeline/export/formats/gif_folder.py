"""gif-folder: samples -> LABEL/KEY.gif and metadata.jsonl, the layout of Hugging Face's imagefolder."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa

from pipeline.export.columns import TrainingSet
from pipeline.export.formats.folder_names import folder_name
from pipeline.export.formats.writer import FormatConfig, Row, row_json, split_rows
from pipeline.media.decode import decode_clip
from pipeline.media.gif import encode_gif
from pipeline.media.limits import TRUSTED
from schemas.clip import Clip

MAX_THREADS = 4  # each holds one decoded clip
METADATA = "metadata.jsonl"


def write_gif_folder(
    folder: Path, batches: Iterable[pa.RecordBatch], *, training_set: TrainingSet, config: FormatConfig
) -> None:
    """Write one GIF per sample, in a folder named after its label, and all other columns line by line."""
    write = partial(_write_sample, folder)
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    with (folder / METADATA).open("w", encoding="utf-8", newline="\n") as metadata, ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            rows, pictures = zip(*split_rows(batch, training_set), strict=True)
            for row, name in zip(rows, pool.map(write, rows, pictures), strict=True):
                metadata.write(row_json({"file_name": name, **row}) + "\n")


def to_clip(row: Row, media: bytes) -> Clip:
    """Decode a picture of either set to a clip with the time axis of the source file; a still has one frame of 0 ms."""
    clip = decode_clip(media, limits=TRUSTED)
    if "delays_ms" not in row:
        return clip
    return Clip(clip.frames, tuple(row["run_lengths"]), tuple(row["delays_ms"]))


def _write_sample(folder: Path, row: Row, media: bytes) -> str:
    name = f"{folder_name(row['label'])}/{row['key']}.gif"
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_gif(to_clip(row, media), loop_count=row.get("loop_count")))
    return name

"""Number and seed -> a folder of drawn stickers with labels, like a user's own pile, and its truth."""

import json
from pathlib import Path

import numpy as np

from pipeline.synthetic.awkward import NUM_DUPLICATES, MediaFile, awkward_files, gif_file
from pipeline.synthetic.drawing import draw_stickers
from schemas.errors import UserError


def write_stickers(folder: Path, *, num: int, seed: int) -> int:
    """Write `num` ordinary stickers and a fixed set of awkward files; return the number of files listed.

    folder/media/*.gif (and a few others), folder/media/labels.jsonl: one JSON object a line with path (inside
    media), label, motion, shape, text, text_box; folder/truth/<name>.npz: clean_frames uint8 (T, H, W, 4) and
    text_mask bool (T, H, W) of each GIF that can be compared frame by frame. Raises UserError if num < 1.
    """
    if num < 1:
        raise UserError(f"num: {num} stickers asked for, expected 1 or more")
    media, truth = folder / "media", folder / "truth"
    media.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    first: list[MediaFile] = []
    lines = []
    for sticker in draw_stickers(num, seed=seed):
        file = gif_file(sticker)
        lines.append(_write(file, media, truth))
        if len(first) < NUM_DUPLICATES:
            first.append(file)
    lines.extend(_write(file, media, truth) for file in awkward_files(first, seed=seed))
    unfinished = folder / "labels.jsonl.part"
    unfinished.write_text("".join(lines), encoding="utf-8")
    unfinished.replace(media / "labels.jsonl")
    return len(lines)


def _write(file: MediaFile, media: Path, truth: Path) -> str:
    """Write one file and its truth; return its line of labels.jsonl."""
    (media / file.path).write_bytes(file.media)
    sticker = file.sticker
    if sticker is not None and file.has_truth:
        target = truth / f"{sticker.name}.npz"
        np.savez_compressed(target, clean_frames=sticker.clean_frames, text_mask=sticker.text_mask)
    line = {
        "path": file.path,
        "label": file.label,
        "motion": sticker and sticker.motion,
        "shape": sticker and sticker.shape,
        "text": sticker and sticker.text,
        "text_box": sticker and sticker.text_box,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"

"""The picture of the README: stickers as found, the mask over all frames, and cleaned, from a curated demo dataset.

make demo && python -m benchmarks.picture demo/dataset demo/stickers/media docs/cleaning.png
"""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from pipeline.answers import read_big_columns
from pipeline.media.decode import decode_clip

SIDE = 120
COLUMNS = 3
NUM_STICKERS = 12
BACKGROUND = (225, 227, 232)


def main() -> None:
    root, media, target = (Path(argument) for argument in sys.argv[1:4])
    rows = [row for row in read_cleaned(root) if row["clean_outcome"] == "cleaned"]
    rows = rows[:: max(len(rows) // NUM_STICKERS, 1)][:NUM_STICKERS]
    sheet = Image.new("RGB", (COLUMNS * (3 * SIDE + 12), -(-len(rows) // COLUMNS) * (SIDE + 8)), BACKGROUND)
    for number, row in enumerate(rows):
        left = number % COLUMNS * (3 * SIDE + 12)
        top = number // COLUMNS * (SIDE + 8)
        for place, picture in enumerate(before_mask_after(row, media)):
            shown = picture.resize(fit(picture.size), Image.Resampling.LANCZOS)
            corner = (left + place * SIDE + (SIDE - shown.width) // 2, top + (SIDE - shown.height) // 2)
            sheet.paste(shown, corner, shown)
    sheet.save(target, optimize=True)


def read_cleaned(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of t2v in order, each with the mask that the clean stage stored."""
    manifest = json.loads((root / "t2v" / "manifest.json").read_text())
    parts = sorted((root / "stages" / f"clean-{manifest['fingerprints']['clean']}").glob("*.parquet"))
    answered = [
        {"key": key, "part": part} for part in parts for key in pq.read_table(part, columns=["key"])["key"].to_pylist()
    ]
    masks = read_big_columns(answered, ["clean_mask"])
    for file in manifest["files"]:
        for row in pq.read_table(root / "t2v" / file["name"]).to_pylist():
            yield {**row, **masks[row["key"]]}


def before_mask_after(row: dict[str, Any], media: Path) -> Iterator[Image.Image]:
    """Yield, of the stored frame that changed most, what was found, the mask, and what was exported."""
    original = decode_clip((media / row["path"]).read_bytes())
    cleaned = decode_clip(row["animation"]["bytes"])
    before = np.repeat(original.frames, original.run_lengths, axis=0)
    after = np.repeat(cleaned.frames, row["run_lengths"], axis=0)
    most = int((before != after).any(axis=3).sum(axis=(1, 2)).argmax())
    yield Image.fromarray(before[most])
    yield Image.open(io.BytesIO(row["clean_mask"])).convert("RGBA")
    yield Image.fromarray(after[most])


def fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = (SIDE - 6) / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


if __name__ == "__main__":
    main()

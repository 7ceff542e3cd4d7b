"""A small exported t2v and t2i set with everything that formats have to carry: holes, runs, odd delays, odd labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.export.card import dataset_card
from pipeline.export.columns import TRAINING_SETS
from pipeline.root import DatasetRoot
from tests.media.gifs import moving_square
from tests.mobius_model.data.tiny_root import TinyClip, coloured_frames, key_of, write_set

RED, BLUE, NOTHING = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
LABELS = (
    "开心",
    "../../etc/passwd",
    None,
    "train",
    "CON",
    "test",
    "a\u2028b",
    "Joy",
    "__hidden",
    "joy: [1]\n- &x",
    "..",
    "",
)
NUM_COLOURFUL = 2  # clips at the end that have more colours than a GIF frame


def noise(num_frames: int, *, size: int = 24) -> NDArray[np.uint8]:
    """Frames in which nearly every pixel has a colour of its own."""
    frames = np.random.default_rng(0).integers(0, 256, (num_frames, size, size, 4)).astype(np.uint8)
    frames[..., 3] = 255
    return frames


def small_clips() -> list[TinyClip]:
    """One clip for each label: ten of few colours, then NUM_COLOURFUL of many."""
    exact = [
        (moving_square(5), (1, 2, 1, 1, 3), (0, 10, 20, 30, 40, 50, 60, 70), 0),
        (coloured_frames(RED, BLUE), (1, 1), (100, 100), None),
        (coloured_frames(RED, NOTHING, RED), (1, 1, 1), (20, 655350, 20), 3),
        *((coloured_frames((number, 9, 9, 255), BLUE), (2, 1), (30, 30, 40), 0) for number in range(7)),
    ]
    clips = [*exact, *((noise(3), (1, 1, 1), (40, 50, 60), 0) for _ in range(NUM_COLOURFUL))]
    return [
        TinyClip(key_of(number), frames, runs, delays, loop_count=loop, label=label, changes=_columns(number, label))
        for number, ((frames, runs, delays, loop), label) in enumerate(zip(clips, LABELS, strict=True))
    ]


def write_small_root(root: Path) -> Path:
    """Write both sets with their cards: three files, row groups of 2."""
    clips = small_clips()
    write_set(root, "t2v", clips, group_samples=2, file_samples=5)
    stills = [
        TinyClip(each.key, each.frames, (), (), label=each.label, changes=_shared(each.changes)) for each in clips
    ]
    write_set(root, "t2i", stills, group_samples=2, file_samples=5)
    for name, training_set in TRAINING_SETS.items():
        manifest = DatasetRoot(root).read_export(name)
        assert manifest is not None
        card = dataset_card(manifest, training_set, root / name)
        (root / name / "README.md").write_text(card, encoding="utf-8")
    return root


def read_rows(root: Path, name: str = "t2v") -> list[dict[str, Any]]:
    """Read a set straight from its Parquet files."""
    return [row for path in sorted((root / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def _columns(number: int, label: str | None) -> dict[str, object]:
    return {
        "labels": [] if label is None else sorted({label, "贴图"}),
        "num_frames": number + 1,
        "width": 16,
        "motion_score": number / 7,
        "has_alpha": number == 0,
        "image_caption": f'A "quoted" caption\n{number} \u2028 \\ ',
        "image_caption_zh": f"第{number}个，红色方块。",
        "text": None if number else "你好",
        "source": "small",
        "extra": json.dumps({"license": "CC BY 4.0", "artist": f"nobody {number}"}) if number % 2 else "",
        "image_caption_model": "embedded/x",
    }


def _shared(columns: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in columns.items() if name not in ("num_frames", "motion_score")}

"""The demo folder: every file is listed, every awkward case is there, the truth fits the files."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from pipeline.synthetic import write_stickers
from schemas.errors import UserError

NUM = 24
NUM_AWKWARD = 19


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("stickers")
    assert write_stickers(target, num=NUM, seed=2) == NUM + NUM_AWKWARD
    return target


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "media" / "labels.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def decode(media: bytes) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Return canonical frames (T, H, W, 4) and T delays in milliseconds, as Pillow reads them."""
    frames, delays = [], []
    with Image.open(io.BytesIO(media)) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(np.array(frame.convert("RGBA")))
            delays.append(int(frame.info.get("duration", 0)))
    stacked = np.stack(frames)
    stacked[stacked[..., 3] == 0] = 0
    return stacked, tuple(delays)


def test_every_file_is_listed_once_and_every_line_is_complete(folder: Path, lines: list[dict[str, Any]]) -> None:
    listed = [line["path"] for line in lines]
    assert len(listed) == NUM + NUM_AWKWARD
    assert sorted([*listed, "labels.jsonl"]) == sorted(path.name for path in (folder / "media").iterdir())
    for line in lines:
        assert set(line) == {"path", "label", "motion", "shape", "text", "text_box"}
        assert line["label"]
        assert (line["text"] is None) == (line["text_box"] is None)


def test_truth_fits_the_decoded_files(folder: Path, lines: list[dict[str, Any]]) -> None:
    by_path = {line["path"]: line for line in lines}
    truths = sorted((folder / "truth").glob("*.npz"))
    assert len(truths) == NUM + 4 + 3 + 2, "ordinary, short, rare and large-text stickers"
    for truth in truths:
        frames, _ = decode((folder / "media" / f"{truth.stem}.gif").read_bytes())
        with np.load(truth) as arrays:
            clean, mask = arrays["clean_frames"], arrays["text_mask"]
        assert np.array_equal((frames != clean).any(axis=3), mask), truth.stem
        assert mask.any() == (by_path[f"{truth.stem}.gif"]["text"] is not None), truth.stem


def test_three_files_are_copies_under_another_label(folder: Path, lines: list[dict[str, Any]]) -> None:
    labels: dict[bytes, list[str]] = {}
    for line in lines:
        labels.setdefault((folder / "media" / line["path"]).read_bytes(), []).append(line["label"])
    copies = [found for found in labels.values() if len(found) > 1]
    assert len(copies) == 3
    assert all(len(set(found)) == 2 for found in copies)


def test_short_still_and_other_formats_are_there(folder: Path) -> None:
    media = folder / "media"
    short = sorted(len(decode(path.read_bytes())[1]) for path in media.glob("short-*.gif"))
    assert short == [3, 3, 4, 4]
    assert [len(decode((media / name).read_bytes())[1]) for name in ("still-0.png", "still-1.gif")] == [1, 1]
    for name, expected in (("moving-0.webp", "WEBP"), ("moving-1.png", "PNG")):
        with Image.open(media / name) as image:
            assert image.format == expected
        assert len(decode((media / name).read_bytes())[1]) >= 6


def test_truncated_gifs_begin_well_and_end_too_early(folder: Path) -> None:
    broken = sorted((folder / "media").glob("broken-*.gif"))
    assert len(broken) == 2
    for path in broken:
        media = path.read_bytes()
        assert media.startswith(b"GIF89a")
        assert not media.endswith(b";")
    with pytest.raises(OSError, match="truncated"):
        decode(broken[0].read_bytes())


def test_the_html_page_is_no_picture(folder: Path) -> None:
    media = (folder / "media" / "gone.gif").read_bytes()
    assert b"<html>" in media
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(media))


def test_large_text_covers_much_of_the_canvas(folder: Path) -> None:
    truths = sorted((folder / "truth").glob("large-text-*.npz"))
    assert len(truths) == 2
    for truth in truths:
        with np.load(truth) as arrays:
            rows, columns = np.nonzero(arrays["text_mask"].any(axis=0))
            box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            assert box > 0.4 * arrays["text_mask"][0].size, truth.stem


def test_rare_labels_occur_once_even_in_a_small_folder(lines: list[dict[str, Any]]) -> None:
    counts = Counter(line["label"] for line in lines)
    assert [counts[label] for label in ("dizzy", "cool", "hungry")] == [1, 1, 1]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        write_stickers(tmp_path / name, num=4, seed=3)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_fewer_than_one_sticker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="num: 0"):
        write_stickers(tmp_path, num=0, seed=1)
    assert list(tmp_path.iterdir()) == []

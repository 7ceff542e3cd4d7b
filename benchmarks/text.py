"""Text: how well burnt-in text is found and removed, on the sample corpus and on drawn stickers whose truth is known.

    python -m benchmarks.text find               captions found, false alarms, seconds, over all files of the sample
    python -m benchmarks.text clean              captions removed: second reading of every frame, pixels outside
    python -m benchmarks.text stickers           both on drawn stickers, with the clean picture to compare with
    python -m benchmarks.text                    all three
    python -m benchmarks.text stickers --sheet out.png     before, after, truth, mask side by side

Seconds are processor seconds of one thread. PSNR is over white, inside the pixels the text really covers.
"""

import argparse
import io
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.clean import CleanConfig, clean_clip
from pipeline.clean.gate import is_left_over
from pipeline.media.canonical import merge_equal_neighbours
from pipeline.media.decode import decode_clip
from pipeline.models.opencv_inpaint import OpenCvInpaintConfig, open_opencv_inpaint
from pipeline.models.protocols import TextReader
from pipeline.models.rapid_ocr import RapidOcrConfig, open_rapid_ocr
from pipeline.synthetic import Sticker, draw_stickers
from pipeline.text import TextConfig, find_text
from pipeline.text.backdrop import choose_backdrop, lay_over
from pipeline.text.polygons import rasterise
from pipeline.text.strings import plain
from schemas.answers import CleanAnswer, TextAnswer
from schemas.clip import Clip

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus")) / "sample"
TOUCHES = 0.1  # of a reading's box
LARGE_TEXT = 0.25  # of the canvas, the threshold of the recipe
HAVE_TEXT = ("buy-morning-coffee-3x", "buy-morning-coffee-transparent", "704_Cool", "boomparrot", "cakeparrot", "hmm")
"""Files without a caption that show words all the same, found by looking at them."""

Frames = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Bench:
    """The models, opened once, and the processor seconds spent in each of the two stages."""

    reader: TextReader = field(default_factory=lambda: open_rapid_ocr(RapidOcrConfig()))
    seconds: Counter[str] = field(default_factory=Counter)

    def find(self, clip: Clip) -> TextAnswer:
        started = time.process_time()
        answer = find_text(clip, config=TextConfig(), reader=self.reader)
        self.seconds["find"] += time.process_time() - started
        return answer

    def clean(self, clip: Clip, text: TextAnswer) -> CleanAnswer:
        started = time.process_time()
        inpainter = open_opencv_inpaint(OpenCvInpaintConfig())
        answer = clean_clip(clip, text, config=CleanConfig(), reader=self.reader, inpainter=inpainter)
        self.seconds["clean"] += time.process_time() - started
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["find", "clean", "stickers"], help="one of the three; default all")
    parser.add_argument("--stickers", type=int, default=200, help="stickers drawn; half of them carry text")
    parser.add_argument("--seed", type=int, default=0, help="series of stickers")
    parser.add_argument("--sheet", type=Path, help="picture of every cleaned sticker, to be looked at")
    settings = parser.parse_args()
    measures = {"find": measure_finding, "clean": measure_cleaning, "stickers": measure_stickers}
    for name in [settings.what] if settings.what else measures:
        print_table(name, measures[name](settings))


def print_table(name: str, rows: Sequence[tuple[str, object]]) -> None:
    print(f"\n| {name} | |\n|---|---|")
    for label, value in rows:
        print(f"| {label} | {value} |")


# The sample corpus.


def measure_finding(settings: argparse.Namespace) -> list[tuple[str, object]]:
    bench = Bench()
    overlaps: list[float] = []
    counts: Counter[str] = Counter()
    strange: list[str] = []
    for row, clip in sample_clips():
        answer = bench.find(clip)
        counts["frames read"] += answer.num_frames_read
        if row.get("text_box"):
            overlaps.append(overlap(answer, row["text_box"], clip.frames.shape[1:3]))
            counts["exact"] += plain(row["text"]) == plain(answer.text)
            continue
        counts["other"] += 1
        if answer.tracks and not any(name in row["path"] for name in HAVE_TEXT):
            counts["false"] += 1
            counts["false and large"] += answer.text_area > LARGE_TEXT
            strange.append(f"{Path(row['path']).name} {answer.text!r}")
        counts["large"] += answer.text_area > LARGE_TEXT
    return [
        ("captions found with IoU of 0.5 or more", f"{sum(each >= 0.5 for each in overlaps)} of {len(overlaps)}"),
        ("median IoU", f"{np.median(overlaps):.2f}"),
        ("captions read exactly, signs aside", f"{counts['exact']} of {len(overlaps)}"),
        ("other files called text though they show none", f"{counts['false']} of {counts['other']} {strange or ''}"),
        ("of them called large text", counts["false and large"]),
        (f"other files with text area above {LARGE_TEXT}", counts["large"]),
        ("frames read", counts["frames read"]),
        ("seconds", f"{bench.seconds['find']:.0f}"),
    ]


def measure_cleaning(settings: argparse.Namespace) -> list[tuple[str, object]]:
    bench = Bench()
    outcomes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    pixels: Counter[str] = Counter()
    strange: set[str] = set()
    for _, clip in sample_clips(only_captioned=True):
        text = bench.find(clip)
        answer = bench.clean(clip, text)
        outcomes[outcome_of(answer)] += 1
        if answer.clean_media is None:
            continue
        add_origins(pixels, answer)
        cleaned = shown_frames(answer, clip)
        inside = np.asarray(Image.open(io.BytesIO(answer.clean_mask or b""))) > 0
        counts["same outside"] += np.array_equal(cleaned[:, ~inside], clip.frames[:, ~inside])
        counts["nothing left"] += not left_over(cleaned, clip, text, bench.reader)
        again = Clip(decode_clip(answer.clean_media).frames, tuple(answer.clean_run_lengths), clip.delays_ms)
        every = TextConfig(max_frames_read=len(again.frames))
        counts["no track"] += not find_text(again, config=every, reader=bench.reader).tracks
        misread = raw_readings(again.frames, inside, bench.reader)
        counts["anywhere"] += bool(misread)
        counts["touching"] += any(share > TOUCHES for _, share in misread)
        strange.update(text for text, _ in misread)
    num = outcomes["cleaned"]
    return [
        ("outcomes", dict(outcomes)),
        ("nothing read in the mask, every frame read again", f"{counts['nothing left']} of {num}"),
        ("no track found, every frame read again", f"{counts['no track']} of {num}"),
        ("clips of which raw OCR, unfiltered, reads anything anywhere", f"{counts['anywhere']} {sorted(strange)}"),
        ("of these, where the mask was", counts["touching"]),
        ("pixels outside the mask identical", f"{counts['same outside']} of {num}"),
        ("recovered, flat, invented", origins(pixels)),
        ("seconds per clip", f"{bench.seconds['clean'] / max(1, sum(outcomes.values())):.2f}"),
    ]


def raw_readings(frames: Frames, inside: Mask, reader: TextReader) -> list[tuple[str, float]]:
    """Read every frame without any of our doubts; return each string and the share of its box that the mask covers."""
    readings = []
    for frame in frames:
        for box in reader.read(frame):
            (left, right), (top, bottom) = ((max(0, int(f(box.polygon[k::2]))) for f in (min, max)) for k in (0, 1))
            readings.append((box.text, float(inside[top : bottom + 1, left : right + 1].mean())))
    return readings


# Drawn stickers.


def measure_stickers(settings: argparse.Namespace) -> list[tuple[str, object]]:
    bench = Bench()
    outcomes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    pixels: Counter[str] = Counter()
    errors: list[float] = []
    pictures: list[tuple[Frames, ...]] = []
    for sticker in draw_stickers(settings.stickers, seed=settings.seed):
        clip, truth, covered = distinct(sticker)
        text = bench.find(clip)
        if sticker.text is None:
            counts["without"] += 1
            counts["false"] += bool(text.tracks)
            continue
        counts["with"] += 1
        counts["found"] += bool(text.tracks)
        counts["exact"] += plain(text.text) == plain(sticker.text)
        answer = bench.clean(clip, text)
        outcomes[outcome_of(answer)] += 1
        if answer.clean_media is None:
            continue
        add_origins(pixels, answer)
        cleaned = shown_frames(answer, clip)
        counts["nothing left"] += not left_over(cleaned, clip, text, bench.reader)
        errors.append(psnr(over_white(cleaned)[covered], over_white(truth)[covered]))
        fullest = int(covered.sum((1, 2)).argmax())
        pictures.append((clip.frames[fullest], cleaned[fullest], truth[fullest]))
    if settings.sheet:
        write_sheet(pictures, settings.sheet)
    num = max(1, outcomes["cleaned"])
    return [
        ("stickers with text, found", f"{counts['found']} of {counts['with']}"),
        ("read exactly, signs aside", f"{counts['exact']} of {counts['with']}"),
        ("stickers without text called text", f"{counts['false']} of {counts['without']}"),
        ("outcomes", dict(outcomes)),
        ("nothing read in the mask, every frame read again", f"{counts['nothing left']} of {num}"),
        ("PSNR inside the text, dB: p25, median, p75", np.percentile(errors, [25, 50, 75]).round(1).tolist()),
        ("30 dB or more", f"{sum(each >= 30 for each in errors)} of {num}"),
        ("recovered, flat, invented", origins(pixels)),
        ("seconds per clip, finding", f"{bench.seconds['find'] / settings.stickers:.2f}"),
        ("seconds per clip with text, cleaning", f"{bench.seconds['clean'] / max(1, counts['with']):.2f}"),
    ]


def distinct(sticker: Sticker) -> tuple[Clip, Frames, Mask]:
    """Return a sticker as a clip, with the clean picture and the text's pixels for each distinct frame."""
    frames, run_lengths = merge_equal_neighbours(sticker.frames, max_frames=len(sticker.frames))
    starts = np.cumsum([0, *run_lengths[:-1]])
    clip = Clip(frames, tuple(run_lengths), tuple(sticker.delays_ms))
    return clip, sticker.clean_frames[starts], sticker.text_mask[starts]


# What both have in common.


def sample_clips(*, only_captioned: bool = False) -> Iterator[tuple[dict[str, object], Clip]]:
    for line in (SAMPLE / "labels.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("text_box") or not only_captioned:
            yield row, decode_clip((SAMPLE / row["path"]).read_bytes())


def overlap(answer: TextAnswer, box: Sequence[float], size: tuple[int, int]) -> float:
    """Return intersection over union of all found polygons and a true box x0, y0, x1, y1."""
    found, true = np.zeros(size, bool), np.zeros(size, bool)
    for place in (place for track in answer.tracks for place in track.places):
        found |= rasterise(place.polygon, size)
    left, top, right, bottom = map(round, box)
    true[top:bottom, left:right] = True
    return float((found & true).sum() / max(1, (found | true).sum()))


def shown_frames(answer: CleanAnswer, clip: Clip) -> Frames:
    """Return what the cleaned media shows for each distinct frame of the original."""
    frames = decode_clip(answer.clean_media or b"").frames
    stored = np.repeat(np.arange(len(frames)), answer.clean_run_lengths)
    return frames[stored[np.cumsum([0, *clip.run_lengths[:-1]])]]


def left_over(cleaned: Frames, clip: Clip, text: TextAnswer, reader: TextReader) -> list[str]:
    """Read every frame again; return what is read where a track stood."""
    grey = choose_backdrop(clip.frames)
    return [
        box.text
        for index, frame in enumerate(cleaned)
        for box in reader.read(lay_over(frame, grey))
        if is_left_over(box, index, text.tracks)
    ]


def outcome_of(answer: CleanAnswer) -> str:
    return answer.clean_outcome if answer.clean_reason is None else f"{answer.clean_outcome}: {answer.clean_reason}"


def add_origins(pixels: Counter[str], answer: CleanAnswer) -> None:
    pixels["recovered"] += answer.recovered_pixels
    pixels["flat"] += answer.flat_pixels
    pixels["invented"] += answer.invented_pixels


def origins(pixels: Counter[str]) -> str:
    total = max(1, pixels.total())
    return ", ".join(f"{pixels[name] / total:.0%}" for name in ("recovered", "flat", "invented"))


def over_white(frames: Frames) -> NDArray[np.float64]:
    alpha = frames[..., 3:] / 255
    return np.asarray(frames[..., :3] * alpha + 255 * (1 - alpha), np.float64)


def psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the peak signal-to-noise ratio in dB; 99 if equal."""
    error = float(((one - other) ** 2).mean())
    return 99.0 if error == 0 else min(99.0, float(10 * np.log10(255**2 / error)))


def write_sheet(pictures: Sequence[tuple[Frames, ...]], path: Path, *, cell: int = 140, columns: int = 4) -> None:
    """Write before, after and truth of each clip, `columns` clips to a row, on grey."""
    width = 3 * cell
    sheet = Image.new("RGB", (columns * width, -(-len(pictures) // columns) * cell), (128, 128, 128))
    for number, views in enumerate(pictures):
        for index, view in enumerate(views):
            image = Image.fromarray(view)
            image.thumbnail((cell - 4, cell - 4))
            sheet.paste(image, (number % columns * width + index * cell, number // columns * cell), image)
    sheet.save(path)


if __name__ == "__main__":
    main()

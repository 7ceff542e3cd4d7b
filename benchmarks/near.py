"""Near-duplicates: how many are found and how surely, beside a first-frame pHash; and what it costs.

python -m benchmarks.near found [--every 3] [--half held-out]     # needs MOBIUS_CORPUS
python -m benchmarks.near cost --sizes 10000 100000 1000000
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.near_transforms import TRANSFORMS, Frames, over_white
from benchmarks.near_truth import by_eye, by_source_path, is_held_out, unsure
from pipeline.media.canonical import merge_equal_neighbours
from pipeline.media.decode import decode_clip
from pipeline.media.limits import LimitsConfig
from pipeline.near.groups import NearConfig, group_near
from pipeline.quality.likeness import sign_frames
from pipeline.quality.signature import NUM_BYTES
from pipeline.stages.probe import probe_media
from pipeline.tables import open_database

LARGEST = 160  # pixels; larger files are made smaller before they are transformed, to save time
Pairs = NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["found", "cost", "one-size"])
    parser.add_argument("--every", type=int, default=1, help="transform only every so many files")
    parser.add_argument("--half", choices=["held-out", "chosen-on", "both"], default="both")
    parser.add_argument("--max-distance", type=float, default=NearConfig().max_distance)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    settings = parser.parse_args()
    if settings.what == "found":
        print_found(settings.every, settings.half, NearConfig(max_distance=settings.max_distance))
    elif settings.what == "cost":
        for size in settings.sizes:  # each in a process of its own, for its peak of memory
            os.spawnlp(os.P_WAIT, "python", "python", "-m", "benchmarks.near", "one-size", "--sizes", str(size))
    else:
        print_cost(settings.sizes[0])


# Found: the sample, and its files under transforms.


def print_found(every: int, half: str, config: NearConfig) -> None:
    sample = Path(os.environ["MOBIUS_CORPUS"]) / "sample"
    rows = [json.loads(line) for line in (sample / "labels.jsonl").read_text().splitlines()]
    families = unsure(rows)
    wanted = [half == "both" or is_held_out(family) == (half == "held-out") for family in families]
    numbers = [number for number in range(len(rows)) if wanted[number]]
    signs: dict[str, list[bytes]] = {"": []}
    hashes: dict[str, list[int]] = {"": []}
    files: dict[str, list[int]] = {"": []}
    seconds = {"probe": 0.0, "sign": 0.0}
    for place, number in enumerate(numbers):
        media = (sample / rows[number]["path"]).read_bytes()
        start = time.process_time()
        probe_media(media, limits=LimitsConfig())
        seconds["probe"] += time.process_time() - start
        clip = decode_clip(media)
        start = time.process_time()
        sign = sign_frames(clip.frames, clip.durations_ms)
        seconds["sign"] += time.process_time() - start
        for name, frames, delays in _versions(clip.frames, clip.durations_ms, number, place % every == 0):
            files.setdefault(name, []).append(number)
            signs.setdefault(name, []).append(sign_frames(frames, delays) if name else sign)
            hashes.setdefault(name, []).append(first_frame_phash(frames[0]))
    each = {name: 1000 * total / len(numbers) for name, total in seconds.items()}
    print(f"{len(numbers)} files, half: {half}; ms a file: probe {each['probe']:.1f}, signature {each['sign']:.1f}")
    print("| | files | pairs | ours: precision | recall | pHash, its best threshold: precision | recall |")
    print("|---|---|---|---|---|---|---|")
    truths = {"sample, by `source_path`": by_source_path(rows), "sample, by eye": by_eye(rows)}
    for title, names in truths.items():
        keeps = None if "path" in title else families
        _print_row(title, files[""], signs[""], hashes[""], names, keeps, config)
    for name in [*(name for name in files if name), "all together"]:
        parts = list(files) if name == "all together" else ["", name]
        chained = [[value for part in parts for value in table[part]] for table in (files, signs, hashes)]
        _print_row(name, *chained, by_eye(rows), families, config)


def _versions(
    frames: Frames, delays: Sequence[int], number: int, is_transformed: bool
) -> Iterator[tuple[str, Frames, Sequence[int]]]:
    """Yield the clip itself under no name, and each transform of it under its own."""
    yield "", frames, delays
    if not is_transformed:
        return
    factor = LARGEST / max(frames.shape[1:3])
    if factor < 1:
        frames = np.stack(
            [cv2.resize(each, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for each in frames]
        )
    for place, (name, transform) in enumerate(TRANSFORMS.items()):
        changed, shown = transform(frames, list(delays), np.random.default_rng([number, place]))
        distinct, run_lengths = merge_equal_neighbours(changed, max_frames=len(changed))
        ends = np.cumsum([0, *run_lengths])
        yield name, distinct, [sum(shown[first:last]) for first, last in pairwise(ends)]


def _print_row(
    title: str,
    files: Sequence[int],
    signs: Sequence[bytes],
    hashes: Sequence[int],
    names: Sequence[str],
    families: Sequence[str] | None,
    config: NearConfig,
) -> None:
    one, other = np.triu_indices(len(files), 1)
    named = np.unique(names, return_inverse=True)[1][np.array(files)]
    is_same = named[one] == named[other]
    counts = np.ones(len(one), bool)
    if families:
        of_family = np.unique(families, return_inverse=True)[1][np.array(files)]
        counts = is_same | (of_family[one] != of_family[other])
    grouped = find_groups(signs, config)
    ours = (grouped[one] == grouped[other]) & (grouped[one] >= 0)
    bits = np.array(hashes, np.uint64)
    apart = np.bitwise_count(bits[one] ^ bits[other])
    peer = max((apart <= limit for limit in range(25)), key=lambda found: _f1(found[counts], is_same[counts]))
    shares = [f"{value:.3f}" for found in (ours, peer) for value in _precision_recall(found[counts], is_same[counts])]
    print(f"| {title} | {len(files)} | {int(is_same.sum())} | {' | '.join(shares)} |", flush=True)


def find_groups(signs: Sequence[bytes], config: NearConfig) -> NDArray[np.int64]:
    """Return the group of each signature, -1 for none."""
    table = pa.table({"ordinal": np.arange(len(signs)), "signature": pa.array(list(signs), pa.binary())})
    groups = np.full(len(signs), -1, np.int64)
    with duckdb.connect() as connection:
        connection.register("incoming", table)
        connection.execute(
            "CREATE TABLE likeness AS SELECT *, 1000 AS width, 1000 AS height, 1 AS num_distinct_frames FROM incoming"
        )
        group_near(connection, "likeness", config=config)
        found = np.array(connection.execute("SELECT ordinal, near_group FROM near_groups").fetchall(), np.int64)
    if len(found):
        groups[found[:, 0]] = found[:, 1]
    return groups


def first_frame_phash(frame: Frames) -> int:
    """Return 64 bits: which of the lowest 8 x 8 frequencies of the first frame are above their median."""
    grey = cv2.cvtColor(over_white(frame[None])[0, ..., :3], cv2.COLOR_RGB2GRAY)
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].ravel()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def _precision_recall(found: Pairs, is_same: Pairs) -> tuple[float, float]:
    right = int((found & is_same).sum())
    return right / max(1, int(found.sum())), right / max(1, int(is_same.sum()))


def _f1(found: Pairs, is_same: Pairs) -> float:
    precision, recall = _precision_recall(found, is_same)
    return 2 * precision * recall / max(1e-9, precision + recall)


# Cost: drawn signatures, one in five with a near-duplicate.


def print_cost(num: int) -> None:
    rng = np.random.default_rng(0)
    waves = np.array(
        [[np.cos(np.pi * (place + 0.5) * wave / 8) for place in range(8)] for wave in range(6)], np.float32
    )
    fall = 1 / (1 + np.arange(6)[:, None] + np.arange(6))
    with open_database() as connection:
        connection.execute(
            "CREATE TABLE likeness (ordinal BIGINT, signature BLOB, width INT, height INT, num_distinct_frames INT)"
        )
        for first in range(0, num, 50_000):
            size = min(50_000, num - first)
            rows = np.full((size, NUM_BYTES), 128, np.uint8)
            for start, strength in ((0, 80), (64, 40)):
                mixed = (rng.standard_normal((size, 6, 6)) * fall * strength).astype(np.float32)
                rows[:, start : start + 64] = (128 + waves.T @ mixed @ waves).clip(0, 255).reshape(size, 64)
            copies = size // 10
            noise = rng.standard_normal((copies, 160)) * 2
            rows[-copies:, :160] = (rows[:copies, :160] + noise).clip(0, 255)
            found = pa.table({"ordinal": np.arange(first, first + size), "signature": [row.tobytes() for row in rows]})
            connection.register("found", found)
            connection.execute("INSERT INTO likeness SELECT ordinal, signature, 100, 100, 10 FROM found")
            connection.unregister("found")
        before, start = time.process_time(), time.perf_counter()
        cost = group_near(connection, "likeness", config=NearConfig())
        used, passed = time.process_time() - before, time.perf_counter() - start
        members, groups = connection.execute("SELECT count(*), count(DISTINCT near_group) FROM near_groups").fetchall()[
            0
        ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {num:,} | {passed:.0f} | {used:.0f} | {cost.num_comparisons / num:.1f} |"
        f" {members:,} in {groups:,} | {peak:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

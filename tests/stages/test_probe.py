"""Probe measures what is in the file, and the hashes tell equal from different."""

import json
from pathlib import Path

import pytest

from pipeline.media.limits import LimitsConfig
from pipeline.stages.probe import probe_media
from schemas.answers import ProbeAnswer
from schemas.errors import SampleError
from tests.media.gifs import BLUE, GREEN, RED, encode_gif, raw_frame, raw_gif


def probe(media: bytes) -> ProbeAnswer:
    return probe_media(media, limits=LimitsConfig())


def test_raw_and_effective_durations_are_both_kept() -> None:
    frames = [raw_frame((0, 0, 2, 2), index % 2, delay_cs=delay) for index, delay in enumerate([0, 1, 5])]
    answer = probe(raw_gif((2, 2), frames, loop=0))
    assert (answer.raw_duration_ms, answer.duration_ms) == (60, 250)
    assert answer.loop_count == 0


def test_motion_is_0_for_copies_and_1_for_black_and_white_blinking() -> None:
    still = probe(raw_gif((2, 2), [raw_frame((0, 0, 2, 2), 1)] * 4))
    assert (still.num_frames, still.num_distinct_frames, still.motion_score) == (4, 1, 0)
    blink = probe(raw_gif((2, 2), [raw_frame((0, 0, 2, 2), index % 2) for index in range(4)]))
    assert blink.motion_score == pytest.approx(0.75), "three of four channels change fully"


def test_two_hashes_tell_pixels_from_timing(corpus_hostile: Path) -> None:
    folder = corpus_hostile / "dups"
    original = probe((folder / "original.gif").read_bytes())
    for name in ("exact_copy", "comment_added", "reencoded"):
        copy = probe((folder / f"{name}.gif").read_bytes())
        assert (copy.pixels_hash, copy.timing_hash) == (original.pixels_hash, original.timing_hash), name
    slow = probe((folder / "half_speed.gif").read_bytes())
    assert slow.pixels_hash == original.pixels_hash
    assert slow.timing_hash != original.timing_hash
    for name in ("scaled_2x", "mirrored", "reversed", "lossy"):
        assert probe((folder / f"{name}.gif").read_bytes()).pixels_hash != original.pixels_hash, name
    looks = int(probe((folder / "scaled_2x.gif").read_bytes()).phash, 16) ^ int(original.phash, 16)
    assert looks.bit_count() <= 8, "of 64 bits"


def test_alpha_is_seen() -> None:
    assert not probe(encode_gif([RED, GREEN, BLUE])).has_alpha
    assert probe(raw_gif((3, 3), [raw_frame((0, 0, 1, 1), 1)])).has_alpha


EXPECTED_REASONS = {
    "pillow/decompression_bomb.gif": "too_large",
    "pillow/decompression_bomb_extents.gif": "too_large",
    "pillow/zero_width.gif": "corrupt",
    "image-gif/issue-117-out-of-range.gif": "too_large",
    "image-gif/issue-96-small-codesize.gif": "corrupt",
    "image-gif/issue-96-small-codesize-2.gif": "too_large",
    "image-gif/issue-101-infinite-empty-loop.gif": "too_large",
    "wuffs/no-frames.gif": "no_frames",
    "wuffs/pixel-data-none.gif": "corrupt",
    "wuffs/pixel-data-not-enough.gif": "corrupt",
    "wuffs/zero-width-frame.gif": "corrupt",
    "wuffs/hippopotamus.interlaced.truncated.gif": "corrupt",
    "made/truncated_half.gif": "corrupt",
    "made/truncated_header.gif": "corrupt",
    "made/truncated_palette.gif": "no_frames",
    "made/truncated_last_frame.gif": "corrupt",
    "made/corrupt_lzw_frame5.gif": "corrupt",
    "made/lzw_min_code_13.gif": "corrupt",
    "made/screen_65535.gif": "too_large",
    "made/screen_20000x20000.gif": "too_large",
    "made/frame_65535_rect.gif": "too_large",
    "made/frame_offset_outside.gif": "corrupt",
    "made/frames_20000_1x1.gif": "too_large",
    "made/time_bomb_8000x8000_200f.gif": "too_large",
    "made/version_GIF90a.gif": "unknown_format",
    "made/magic_lowercase.gif": "unknown_format",
    "made/empty.gif": "unknown_format",
    "made/one_byte.gif": "unknown_format",
    "made/header_only.gif": "corrupt",
    "made/zeros_4k.gif": "unknown_format",
    "made/html.gif": "unknown_format",
    "made/svg.gif": "unknown_format",
}


def test_hostile_files_end_as_their_manifest_expects(corpus_hostile: Path) -> None:
    """A readable file has its true number of frames, or that of its blocks; others have the listed reason."""
    rows = [json.loads(line) for line in (corpus_hostile / "manifest.jsonl").read_text().splitlines()]
    outcomes = {}
    for row in rows:
        path = corpus_hostile / row["path"]
        if row["path"].startswith("names/"):
            continue  # inside names.tar: tested with the sources
        try:
            answer = probe(path.read_bytes())
        except SampleError as error:
            outcomes[row["path"]] = error.reason
            continue
        expected = row.get("true_frames") or row["blocks"]["frames_counted"] or 1
        if row["path"] == "pillow/test_extents_transparency.gif":
            expected = 2  # Pillow's own test; the corpus's scan stops at the bad block, ours goes on as players do
        assert answer.num_frames == expected, row["path"]
    assert outcomes == EXPECTED_REASONS

"""Scans read structure without decoding, and agree with what was put in."""

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.media.decode import scan_media
from pipeline.media.limits import LimitsConfig, check_limits
from pipeline.media.scan import MAX_SCANNED_FRAMES
from pipeline.media.sniff import sniff_format
from schemas.errors import CorruptMedia, NoFrames, TooLarge, UnknownFormat
from tests.media.gifs import BLUE, GREEN, RED, encode, encode_gif, raw_frame, raw_gif


def test_gif_scan_reads_canvas_delays_and_loop() -> None:
    scan = scan_media(encode_gif([RED, GREEN, BLUE], size=9, delays_ms=[30, 70, 110]))
    assert (scan.width, scan.height) == (9, 9)
    assert scan.delays_ms == [30, 70, 110]
    assert scan.loop_count == 0


def test_first_loop_block_counts_and_its_absence_is_told() -> None:
    frame = raw_frame((0, 0, 2, 2), 1)
    assert scan_media(raw_gif((2, 2), [frame], loop=7)).loop_count == 7
    assert scan_media(raw_gif((2, 2), [frame])).loop_count is None


def test_last_graphic_control_before_a_frame_counts() -> None:
    frame = raw_frame((0, 0, 2, 2), 1, delay_cs=5)
    control = b"\x21\xf9\x04" + bytes([0, 30, 0, 0]) + b"\0"
    image = frame[8:]
    assert scan_media(raw_gif((2, 2), [frame[:8] + control + image])).delays_ms == [300]


def test_unknown_bytes_between_blocks_are_skipped_with_a_warning() -> None:
    frame = raw_frame((0, 0, 2, 2), 1)
    scan = scan_media(raw_gif((2, 2), [frame, b"\x00\x47", frame]))
    assert scan.num_frames == 2
    assert "bad_block" in scan.warnings


@pytest.mark.parametrize(("cut", "warning"), [(-1, "no_trailer"), (-4, "truncated")])
def test_early_end_is_a_warning_of_the_scan(cut: int, warning: str) -> None:
    assert warning in scan_media(encode_gif([RED, GREEN])[:cut]).warnings


def test_header_cut_short_is_corrupt() -> None:
    with pytest.raises(CorruptMedia, match="header cut short: 9 bytes, need 13"):
        scan_media(encode_gif([RED])[:9])


def test_animated_webp_and_apng_scans_agree_with_pillow() -> None:
    frames = [Image.new("RGBA", (7, 5), (*colour, 255)) for colour in (RED, GREEN, BLUE)]
    for form, loop in (("WEBP", 3), ("PNG", 3)):
        settings = {"save_all": True, "append_images": frames[1:], "duration": [40, 50, 60], "loop": loop}
        scan = scan_media(encode(frames[0], form, **settings))
        assert (scan.width, scan.height, scan.delays_ms) == (7, 5, [40, 50, 60])
        assert scan.loop_count == 2, "three plays are two extra rounds"


@pytest.mark.parametrize(("form", "settings"), [("WEBP", {"lossless": True}), ("WEBP", {}), ("PNG", {}), ("JPEG", {})])
def test_still_pictures_have_one_frame_and_no_delay(form: str, settings: dict[str, bool]) -> None:
    scan = scan_media(encode(Image.new("RGB", (21, 13), RED), form, **settings))
    assert (scan.width, scan.height, scan.delays_ms, scan.loop_count) == (21, 13, [0], None)


def test_type_is_told_from_bytes() -> None:
    assert sniff_format(encode(Image.new("RGB", (2, 2)), "JPEG")) == "jpeg"
    with pytest.raises(UnknownFormat, match="empty file"):
        sniff_format(b"")
    with pytest.raises(UnknownFormat, match="<html>"):
        sniff_format(b"<html>")


def test_video_scan_gives_frame_times_without_decoding() -> None:
    scan = scan_media(encode_video("mp4", num_frames=6, fps=20))
    assert (scan.width, scan.height) == (32, 32)
    assert scan.num_frames == 6
    assert sum(scan.delays_ms) == pytest.approx(300, abs=5)


def test_limits_name_the_key_and_both_numbers() -> None:
    huge = raw_gif((4000, 4000), [raw_frame((0, 0, 2, 2), 1)] * 3)
    with pytest.raises(TooLarge, match=r"16,000,000 is over limits.max_canvas_pixels = 1,000,000"):
        check_limits(scan_media(huge), LimitsConfig(max_canvas_pixels=1_000_000))
    with pytest.raises(TooLarge, match=r"48,000,000 is over limits.max_decoded_pixels"):
        check_limits(scan_media(huge), LimitsConfig(max_decoded_pixels=40_000_000))
    with pytest.raises(NoFrames):
        check_limits(scan_media(raw_gif((4, 4), [])), LimitsConfig())


def test_frame_outside_the_canvas_counts_for_the_limits() -> None:
    stretched = raw_gif((4, 4), [raw_frame((0, 0, 4, 4), 1), raw_frame((60000, 60000, 2, 2), 1)])
    with pytest.raises(TooLarge, match="max_canvas_pixels"):
        check_limits(scan_media(stretched), LimitsConfig())


def test_scans_of_huge_files_of_junk_end_early() -> None:
    """Counted in what the walk keeps, not in seconds: it stops at a number of frames no config allows."""
    frame = b"\x2c" + bytes(8) + b"\0\0\0"
    scan = scan_media(raw_gif((1, 1), [frame * (MAX_SCANNED_FRAMES + 5000)]))
    assert scan.num_frames == MAX_SCANNED_FRAMES
    assert scan_media(raw_gif((1, 1), [bytes(1 << 20)])).num_frames == 0


def test_stored_frames_of_all_sample_files_equal_their_labels(corpus_sample: Path) -> None:
    rows = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    assert len(rows) == 531
    scans = [scan_media((corpus_sample / row["path"]).read_bytes()) for row in rows]
    assert [scan.num_frames for scan in scans] == [row["frames"] for row in rows]
    assert [sum(scan.delays_ms) for scan in scans] == [row["duration_ms"] for row in rows]
    assert [(scan.width, scan.height) for scan in scans] == [(row["width"], row["height"]) for row in rows]


def encode_video(container: str, *, num_frames: int, fps: int) -> bytes:
    """Encode a clip of growing grey."""
    buffer = io.BytesIO()
    codec = {"mp4": "mpeg4", "webm": "libvpx-vp9"}[container]
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for index in range(num_frames):
            picture = np.full((32, 32, 3), 20 + 30 * index, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return buffer.getvalue()

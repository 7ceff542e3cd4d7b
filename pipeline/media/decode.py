"""Decode: encoded bytes -> canonical straight RGBA frames, one at a time or as a clip.

Shapes: H height, W width of the canvas, D distinct frames; 4 = straight RGBA, uint8.
"""

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.media.canonical import merge_equal_neighbours, zero_hidden_colour
from pipeline.media.coverage import needs_coverage, uncovered_masks
from pipeline.media.limits import LimitsConfig, check_limits
from pipeline.media.scan import Scan
from pipeline.media.scan_gif import scan_gif
from pipeline.media.scan_jpeg import scan_jpeg
from pipeline.media.scan_png import scan_png
from pipeline.media.scan_video import scan_video
from pipeline.media.scan_webp import scan_webp
from pipeline.media.sniff import Format, sniff_format
from schemas.clip import Clip
from schemas.errors import CorruptMedia, SampleError, TooLarge, TooSlow

Frame = NDArray[np.uint8]

SCANNERS: dict[Format, Callable[[bytes], Scan]] = {
    "gif": scan_gif,
    "png": scan_png,
    "webp": scan_webp,
    "jpeg": scan_jpeg,
    "mp4": scan_video,
    "webm": scan_video,
}


def scan_media(media: bytes) -> Scan:
    """Return the structure of a file. Raises UnknownFormat, CorruptMedia, NoFrames."""
    return SCANNERS[sniff_format(media)](media)


def iter_frames(media: bytes, scan: Scan, *, limits: LimitsConfig) -> Iterator[Frame]:
    """Yield the stored frames (H, W, 4) as a viewer shows them, colour zeroed where alpha is 0.

    Every stored frame or an error: a file that ends in the middle of its third frame is corrupt.
    Raises CorruptMedia, TooLarge, TooSlow, NoFrames.
    """
    check_limits(scan, limits)
    deadline = time.thread_time() + limits.max_decode_seconds
    decoder = _video_frames if scan.format in ("mp4", "webm") else _picture_frames
    num_decoded = 0
    for frame in _blame_the_media(decoder(media, scan), scan):
        num_decoded += 1
        if num_decoded > limits.max_frames:
            raise TooLarge(f"more than limits.max_frames = {limits.max_frames:,} frames")
        if time.thread_time() > deadline:
            raise TooSlow(f"frame {num_decoded} passed limits.max_decode_seconds = {limits.max_decode_seconds}")
        yield zero_hidden_colour(frame)
    if num_decoded != scan.num_frames:
        raise CorruptMedia(f"{num_decoded} frames decoded, the structure has {scan.num_frames}")


def decode_clip(media: bytes, *, limits: LimitsConfig | None = None) -> Clip:
    """Decode a file to its distinct frames and time axis. Raises every SampleError of scan and decoding."""
    scan = scan_media(media)
    frames = iter_frames(media, scan, limits=limits or LimitsConfig())
    distinct, run_lengths = merge_equal_neighbours(frames, max_frames=scan.num_frames)
    return Clip(distinct, tuple(run_lengths), tuple(scan.delays_ms))


def decode_first_frame(media: bytes, *, limits: LimitsConfig | None = None) -> Frame:
    """Decode only the first frame (H, W, 4)."""
    scan = scan_media(media)
    return next(iter_frames(media, scan, limits=limits or LimitsConfig()))


def _blame_the_media(frames: Iterator[Frame], scan: Scan) -> Iterator[Frame]:
    """Turn whatever a decoder raises over hostile bytes into CorruptMedia, in this one place.

    Decoders raise nearly any class there is (OSError, ValueError, struct.error, IndexError, ...), hence the breadth.
    """
    index = 0
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            return
        except (SampleError, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise TooLarge(f"frame {index}: {error}") from error
        except Exception as error:
            raise CorruptMedia(f"{scan.format} frame {index} of {scan.num_frames}: {error}") from error
        index += 1
        yield frame


def _picture_frames(media: bytes, scan: Scan) -> Iterator[Frame]:
    with Image.open(io.BytesIO(media), formats=[scan.format.upper()]) as image:
        shape = (scan.height, scan.width)
        if scan.format == "gif" and needs_coverage(scan):
            for index, uncovered in enumerate(uncovered_masks(scan)):
                image.seek(index)
                frame = _fit_canvas(_rgba(image), shape)
                yield np.where(uncovered[..., None], np.uint8(0), frame)
            return
        for index in range(scan.num_frames):
            image.seek(index + scan.first_picture)
            oriented = ImageOps.exif_transpose(image) if scan.format == "jpeg" else image
            yield _fit_canvas(_rgba(oriented), shape if scan.format == "gif" else None)


def _rgba(image: Image.Image) -> Frame:
    if image.mode == "RGBA":
        return np.asarray(image)
    if image.mode.startswith("I"):  # 16-bit grey: keep the upper eight bits
        image = Image.fromarray((np.asarray(image).astype(np.int32) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F"):
        image = image.convert("RGB")
    return np.asarray(image.convert("RGBA"))


def _fit_canvas(frame: Frame, shape: tuple[int, int] | None) -> Frame:
    """Cut or pad to the logical screen, as a player does; Pillow lets frames outside it grow the picture."""
    if shape is None or frame.shape[:2] == shape:
        return frame
    canvas = np.zeros((*shape, 4), np.uint8)
    height, width = min(shape[0], frame.shape[0]), min(shape[1], frame.shape[1])
    canvas[:height, :width] = frame[:height, :width]
    return canvas


def _video_frames(media: bytes, scan: Scan) -> Iterator[Frame]:
    options: dict[str, Any] = {"plugin": "pyav", "format": "rgba", "thread_count": 1, "thread_type": "NONE"}
    for frame in imageio.imiter(media, **options):
        yield np.asarray(frame, np.uint8)

"""Limits: what one file may cost, checked on its structure before a pixel is decoded."""

from pydantic import Field

from pipeline.media.scan import MAX_SCANNED_FRAMES, Scan
from schemas.clip import effective_delay_ms
from schemas.config import StrictConfig
from schemas.errors import CorruptMedia, NoFrames, TooLarge

WEBP_MAX_SIDE = 16383


class LimitsConfig(StrictConfig):
    """Bounds per sample; the defaults keep a worker under half a gigabyte."""

    max_side: int = Field(8192, ge=1, le=WEBP_MAX_SIDE)  # pixels; WebP, the form of the shards, ends at 16383
    max_canvas_pixels: int = Field(1 << 24, ge=1)  # width x height
    max_frames: int = Field(2000, ge=1, lt=MAX_SCANNED_FRAMES)  # stored frames
    max_decoded_pixels: int = Field(1 << 26, ge=1)  # canvas x frames; 4 bytes each
    max_play_ms: int = Field(1 << 30, ge=1, le=(1 << 31) - 1)  # milliseconds of one round; twelve days
    max_decode_seconds: float = Field(8.0, gt=0)  # processor time of one decode


def check_limits(scan: Scan, config: LimitsConfig) -> None:
    """Refuse what would cost too much. Raises TooLarge, NoFrames, CorruptMedia."""
    if scan.num_frames == 0:
        raise NoFrames(f"{scan.format} without a frame")
    if scan.width == 0 or scan.height == 0:
        raise CorruptMedia(f"canvas of {scan.width} x {scan.height} pixels")
    canvas = max(scan.extent_pixels, scan.width * scan.height)
    measured = {
        "max_side": max(scan.width, scan.height),
        "max_canvas_pixels": canvas,
        "max_frames": scan.num_frames,
        "max_decoded_pixels": canvas * scan.num_frames,
        "max_play_ms": sum(map(effective_delay_ms, scan.delays_ms)),
    }
    for name, found in measured.items():
        limit = getattr(config, name)
        if found > limit:
            raise TooLarge(f"{found:,} is over limits.{name} = {limit:,}")


# For what the probe let through and for what we wrote ourselves: bounded already.
TRUSTED = LimitsConfig(
    max_side=WEBP_MAX_SIDE,
    max_canvas_pixels=1 << 40,
    max_frames=MAX_SCANNED_FRAMES - 1,
    max_decoded_pixels=1 << 60,
    max_play_ms=(1 << 31) - 1,
    max_decode_seconds=3600,
)

"""Probe: encoded bytes -> everything that can be measured without a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.canonical import packed
from pipeline.media.decode import iter_frames, scan_media
from pipeline.media.hashes import PixelsHash, difference_hash, hash_bytes, hash_timing
from pipeline.media.limits import LimitsConfig
from pipeline.media.scan import Scan
from pipeline.stages.stage import StageInput
from schemas.answers import ProbeAnswer
from schemas.clip import effective_delay_ms, run_durations_ms
from schemas.config import StrictConfig

MOTION_GRID = 32  # motion is measured on about 32 x 32 sampled pixels
DECODERS = ("pillow", "av", "imageio", "numpy", "opencv-python-headless")
OPAQUE = np.uint32(0xFF000000)


class ProbeConfig(StrictConfig):
    """What a file may cost; beyond that it is quarantined as too_large or too_slow before it is decoded."""

    limits: LimitsConfig = LimitsConfig()


def identify_decoders(config: ProbeConfig) -> str:
    """Name what turns bytes into pixels and numbers: another version may see another picture."""
    return " ".join(f"{name}/{metadata.version(name)}" for name in DECODERS)


def probe_samples(inputs: Sequence[StageInput], *, config: ProbeConfig, model: None) -> list[ProbeAnswer]:
    """Scan, decode and measure each sample. Raises every SampleError of pipeline.media."""
    return [probe_media(each.media, limits=config.limits) for each in inputs]


def probe_media(media: bytes, *, limits: LimitsConfig) -> ProbeAnswer:
    """Measure one file; frames are looked at one by one and never held together."""
    scan = scan_media(media)
    measures = _Measures()
    for frame in iter_frames(media, scan, limits=limits):
        measures.look_at(frame)
    return _answer(media, scan, measures)


@dataclass(slots=True)
class _Measures:
    """What accumulates while the stored frames go by."""

    pixels_hash: PixelsHash = field(default_factory=PixelsHash)
    run_lengths: list[int] = field(default_factory=list)
    has_alpha: bool = False
    phash: str = ""
    width: int = 0
    height: int = 0
    change: float = 0.0
    last: NDArray[np.uint32] | None = None

    def look_at(self, frame: NDArray[np.uint8]) -> None:
        pixels = packed(frame)
        if self.last is None:
            self.height, self.width = pixels.shape
            self.phash = difference_hash(frame)
        elif np.array_equal(pixels, self.last):
            self.run_lengths[-1] += 1
            return
        else:
            self.change += _mean_change(pixels, self.last)
        self.run_lengths.append(1)
        self.pixels_hash.update(frame)
        self.has_alpha = self.has_alpha or bool(pixels.min() < OPAQUE)
        self.last = pixels


def _mean_change(pixels: NDArray[np.uint32], last: NDArray[np.uint32]) -> float:
    """Return the mean absolute difference of two frames (H, W) over all channels, 0 to 1, on a sampled grid."""
    height, width = pixels.shape
    grid = (slice(None, None, -(-height // MOTION_GRID)), slice(None, None, -(-width // MOTION_GRID)))
    new, old = (np.ascontiguousarray(side[grid]).view(np.uint8) for side in (pixels, last))
    return float(cv2.norm(new, old, cv2.NORM_L1)) / (255 * new.size)


def _answer(media: bytes, scan: Scan, measures: _Measures) -> ProbeAnswer:
    num_distinct = len(measures.run_lengths)
    durations_ms = run_durations_ms(measures.run_lengths, scan.delays_ms)
    return ProbeAnswer(
        format="apng" if scan.format == "png" and scan.loop_count is not None else scan.format,
        width=measures.width,
        height=measures.height,
        num_frames=scan.num_frames,
        num_distinct_frames=num_distinct,
        run_lengths=measures.run_lengths,
        delays_ms=scan.delays_ms,
        duration_ms=sum(map(effective_delay_ms, scan.delays_ms)) if scan.num_frames > 1 else 0,
        raw_duration_ms=sum(scan.delays_ms),
        loop_count=scan.loop_count,
        has_alpha=measures.has_alpha,
        bytes_hash=hash_bytes(media),
        pixels_hash=measures.pixels_hash.hexdigest(),
        timing_hash=hash_timing(durations_ms if num_distinct > 1 else []),
        phash=measures.phash,
        motion_score=round(measures.change / max(num_distinct - 1, 1), 6),
        warnings=scan.warnings,
    )

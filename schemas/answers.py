"""What each stage answers for one sample: one dataclass per stage, one column per field.

A field has exactly one writer. `schemas.table` turns these classes into Arrow schemas and back.
"""

from dataclasses import dataclass

from schemas.text import TextTrack


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """Everything that is measured without a model.

    loop_count: 0 = forever, n = n extra rounds, None = the file says nothing (a GIF then plays once).
    pixels_hash: over canvas size and canonical distinct frames; timing_hash: over their effective durations.
    phash: 64-bit difference hash of the first frame over white, as 16 hex digits.
    motion_score: mean absolute change between neighbouring distinct frames, 0 (still) to 1.
    """

    format: str
    width: int
    height: int
    num_frames: int
    num_distinct_frames: int
    run_lengths: list[int]
    delays_ms: list[int]
    duration_ms: int
    raw_duration_ms: int
    loop_count: int | None
    has_alpha: bool
    bytes_hash: str
    pixels_hash: str
    timing_hash: str
    phash: str
    motion_score: float
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class QualityAnswer:
    """The craft of the file as found, measured without a model; cleaning, which comes later, changes pixels.

    seam_error: how far the jump from the last frame to the first is beyond a typical change, 0 (none) to 1.
    is_ping_pong: the second half of the round is the first one backwards.
    period_frames, num_periods: a round is so many equal periods of so many stored frames; one of all if none repeats.
    num_unique_frames: different pictures among the frames, wherever they stand in the round.
    moving_area: part of the canvas that ever changes, 0 to 1.
    sharpness: 1 where every edge is one pixel wide, near 0 for a blur; None without an edge inside the visible part.
    max_flashes_per_second: in the worst second of the endless loop; more than 3 may harm people (WCAG 2.3.1).
    style: pixel | flat | shaded | photo.
    """

    seam_error: float
    is_ping_pong: bool
    period_frames: int
    num_periods: int
    num_unique_frames: int
    moving_area: float
    sharpness: float | None
    max_flashes_per_second: float
    style: str


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """Text burnt into the picture; text_area is the union over boxes and frames as a fraction of the canvas."""

    text: str
    text_area: float
    num_frames_read: int
    tracks: list[TextTrack]
    ocr_model: str


@dataclass(frozen=True, slots=True)
class CleanAnswer:
    """What was painted out and how; the pixel counts are over distinct frames, inside the mask.

    clean_outcome: no_text | cleaned | kept_original (then clean_reason says which check of the gate failed).
    clean_media: lossless animated WebP of the cleaned distinct frames, None unless cleaned.
    clean_run_lengths: run lengths of those frames (text that blinks may leave equal neighbours).
    clean_mask: union of the mask over all frames as a PNG of 0 and 255, None if nothing was masked.
    """

    clean_outcome: str
    clean_reason: str | None
    clean_media: bytes | None
    clean_run_lengths: list[int]
    clean_mask: bytes | None
    masked_pixels: int
    recovered_pixels: int
    flat_pixels: int
    invented_pixels: int
    residual_text: str
    flicker: float
    inpaint_model: str


@dataclass(frozen=True, slots=True)
class ImageCaptionAnswer:
    image_caption: str
    image_caption_model: str


@dataclass(frozen=True, slots=True)
class VideoCaptionAnswer:
    video_caption: str
    video_caption_model: str


@dataclass(frozen=True, slots=True)
class SummaryAnswer:
    summary: str
    summary_model: str


@dataclass(frozen=True, slots=True)
class TranslationAnswer:
    """Translations of the captions the sample has; video caption and summary are None for a still picture."""

    image_caption_zh: str
    video_caption_zh: str | None
    summary_zh: str | None
    translation_model: str


Answer = (
    ProbeAnswer
    | QualityAnswer
    | TextAnswer
    | CleanAnswer
    | ImageCaptionAnswer
    | VideoCaptionAnswer
    | SummaryAnswer
    | TranslationAnswer
)

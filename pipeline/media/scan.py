"""Scan: encoded bytes -> their structure, without decoding a pixel."""

from dataclasses import dataclass, field

from pipeline.media.sniff import Format

MAX_SCANNED_FRAMES = 1 << 16  # a walk ends there; the limit of frames is always lower


@dataclass(frozen=True, slots=True)
class FrameRect:
    """Where a stored frame is drawn, and what becomes of it afterwards (GIF disposal: 2 = clear, 3 = restore)."""

    left: int
    top: int
    width: int
    height: int
    disposal: int = 1


@dataclass(frozen=True, slots=True)
class Scan:
    """What the structure of a file says.

    width, height: the canvas a viewer sees. extent_pixels: the largest surface a decoder may allocate for it.
    delays_ms: one raw delay per stored frame. loop_count: 0 = forever, n = n extra rounds, None = not said.
    rects: one per stored frame (GIF only). is_opaque: no frame declares a transparent colour (GIF only).
    """

    format: Format
    width: int
    height: int
    delays_ms: list[int]
    loop_count: int | None = None
    extent_pixels: int = 0
    rects: list[FrameRect] = field(default_factory=list)
    is_opaque: bool = False
    first_picture: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def num_frames(self) -> int:
        return len(self.delays_ms)

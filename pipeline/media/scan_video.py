"""Scan an mp4 or webm clip: read its packets' time stamps without decoding them."""

import io
from itertools import pairwise

import av
from av.error import FFmpegError

from pipeline.media.scan import Scan
from pipeline.media.sniff import sniff_format
from schemas.errors import CorruptMedia, NoFrames

MAX_PACKETS = 100_000


def scan_video(media: bytes) -> Scan:
    """Return canvas and frame times of the first video stream. Raises CorruptMedia, NoFrames."""
    name = sniff_format(media)
    try:
        with av.open(io.BytesIO(media), metadata_errors="ignore") as container:
            if not container.streams.video:
                raise NoFrames(f"{name} without a video stream")
            stream = container.streams.video[0]
            context = stream.codec_context
            time_base = float(stream.time_base or 0.001)
            times: list[float] = []
            last_ms = 0.0
            for packet in container.demux(stream):
                if packet.pts is None or packet.is_discard or len(times) >= MAX_PACKETS:
                    continue
                times.append(packet.pts * time_base * 1000)
                last_ms = (packet.duration or 0) * time_base * 1000
            width, height = context.width, context.height
            has_lost_alpha = stream.metadata.get("alpha_mode") == "1"
    except FFmpegError as error:
        raise CorruptMedia(f"{name} container: {error}") from error
    if not times:
        raise NoFrames(f"{name} without a frame")
    warnings = ["alpha_not_decoded"] if has_lost_alpha else []
    return Scan(name, width, height, _delays_ms(sorted(times), last_ms), None, width * height, warnings=warnings)


def _delays_ms(times: list[float], last_ms: float) -> list[int]:
    """Turn presentation times into whole milliseconds whose sum does not drift."""
    edges = [*times, times[-1] + (last_ms or (times[-1] - times[0]) / max(len(times) - 1, 1))]
    marks = [round(edge) for edge in edges]
    return [max(after - before, 0) for before, after in pairwise(marks)]

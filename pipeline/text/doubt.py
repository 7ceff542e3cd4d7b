"""Doubt: frames on which a text may or may not stand -> a verdict by OCR, as far as the budget goes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.text.believe import matching_box
from pipeline.text.polygons import corners_of, polygon_of
from pipeline.text.second_look import SecondLooks
from pipeline.text.trace import Trace
from schemas.text import Polygon, TextBox


def settle_doubts(
    frames: NDArray[np.uint8],
    text: str,
    trace: Trace,
    picked: Sequence[int],
    looks: SecondLooks,
    *,
    min_similarity: float,
) -> None:
    """Move doubtful frames (of D) into the trace where OCR reads the text; those never asked about follow a neighbour.

    Doubtful is a frame whose pixels half agree, and one that the pixels deny between two frames that were both read
    as this text: letters that turn or grow. Frames that were read as a whole are past doubt.
    """
    for frame, polygon in _between(trace, picked).items():
        trace.doubts.setdefault(frame, (0.0, polygon))
    verdicts: dict[int, bool] = {}
    for frame in _most_useful_first(sorted(trace.doubts)):
        if frame in picked:
            verdicts[frame] = False
            continue
        polygon = trace.doubts[frame][1]
        boxes = looks.read(frames[frame], polygon)
        if boxes is None:
            break
        found = matching_box(boxes, TextBox(text, 1.0, polygon), min_similarity=min_similarity)
        verdicts[frame] = found is not None
        if found is not None:
            trace.polygons[frame] = found.polygon
    for frame in sorted(trace.doubts.keys() - verdicts.keys()):
        nearest = min(verdicts, key=lambda each: (abs(each - frame), each), default=None)
        if nearest is not None and verdicts[nearest]:
            trace.polygons[frame] = trace.doubts[frame][1]
    trace.doubts.clear()


def _between(trace: Trace, picked: Sequence[int]) -> dict[int, Polygon]:
    """Return frames without the text between neighbouring read frames that both have it, with a polygon half way."""
    gaps: dict[int, Polygon] = {}
    for before, after in pairwise(picked):
        if before not in trace.polygons or after not in trace.polygons:
            continue
        ends = corners_of(trace.polygons[before]), corners_of(trace.polygons[after])
        for frame in range(before + 1, after):
            if frame not in trace.polygons:
                share = (frame - before) / (after - before)
                gaps[frame] = polygon_of((1 - share) * ends[0] + share * ends[1])
    return gaps


def _most_useful_first(frames: Sequence[int]) -> list[int]:
    """Return the frames in an order whose every beginning is spread over all of them: middle, quarters, eighths."""
    order: list[int] = []
    spans = [(0, len(frames))]
    while spans:
        first, end = spans.pop(0)
        if first >= end:
            continue
        middle = (first + end) // 2
        order.append(frames[middle])
        spans += [(first, middle), (middle + 1, end)]
    return order

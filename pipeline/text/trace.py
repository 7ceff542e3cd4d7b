"""Trace: the sightings of one text -> where it stands on every distinct frame, by its pixels.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.text.link import Sighting
from pipeline.text.look import Look, Match, cut_look, find_look, likeness_at
from pipeline.text.polygons import shift, text_height
from schemas.text import Polygon, TextPlace

CERTAIN = 0.92  # likeness at which nobody looks further for a better place
REACH = 0.8  # text heights that a text may move from one distinct frame to the next
MIN_REACH = 4  # pixels


@dataclass(slots=True)
class Trace:
    """Where one text stands: a polygon for each frame that shows it, a doubtful likeness for frames that might."""

    polygons: dict[int, Polygon] = field(default_factory=dict)
    doubts: dict[int, tuple[float, Polygon]] = field(default_factory=dict)

    def places(self) -> list[TextPlace]:
        """Return runs of frames with one polygon, in time order."""
        runs: list[TextPlace] = []
        for frame in sorted(self.polygons):
            polygon = self.polygons[frame]
            if runs and runs[-1].last == frame - 1 and runs[-1].polygon == polygon:
                runs[-1] = TextPlace(runs[-1].first, frame, polygon)
            else:
                runs.append(TextPlace(frame, frame, polygon))
        return runs


def trace_text(
    frames: NDArray[np.uint8],
    sightings: Sequence[Sighting],
    *,
    grey: int,
    min_likeness: float,
    doubt_likeness: float,
) -> Trace:
    """Follow a text from its best sighting to all frames (D, H, W, 4); sightings it does not explain add theirs.

    Where the pixels match, the polygon is that of the sighting, moved: so a text that stands still has one polygon
    however much OCR's boxes tremble.
    """
    trace = Trace()
    for sighting in sorted(sightings, key=lambda each: (-each.box.score, each.frame)):
        if sighting.frame in trace.polygons:
            continue
        look = cut_look(frames[sighting.frame], sighting.box.polygon, grey=grey)
        trace.polygons[sighting.frame] = sighting.box.polygon
        trace.doubts.pop(sighting.frame, None)
        for steps in (range(sighting.frame + 1, len(frames)), range(sighting.frame - 1, -1, -1)):
            _walk(frames, look, steps, trace, grey=grey, limits=(doubt_likeness, min_likeness))
    return trace


def _walk(
    frames: NDArray[np.uint8],
    look: Look,
    steps: range,
    trace: Trace,
    *,
    grey: int,
    limits: tuple[float, float],
) -> None:
    """Follow a look frame by frame in one direction and enter what is found; a lost text may come back where it was."""
    reach = max(MIN_REACH, round(REACH * text_height(look.polygon)))
    at = Match(0, 0, 1.0)
    for frame in steps:
        match = Match(at.dx, at.dy, likeness_at(look, frames[frame], grey=grey, dx=at.dx, dy=at.dy))
        if match.likeness < CERTAIN:
            match = find_look(look, frames[frame], grey=grey, dx=at.dx, dy=at.dy, radius=reach)
        if match.likeness >= limits[1]:
            at = match
        if frame in trace.polygons or match.likeness < limits[0]:
            continue
        polygon = shift(look.polygon, match.dx, match.dy)
        if match.likeness >= limits[1]:
            trace.polygons[frame] = polygon
            trace.doubts.pop(frame, None)
        elif match.likeness > trace.doubts.get(frame, (0.0, polygon))[0]:
            trace.doubts[frame] = (match.likeness, polygon)

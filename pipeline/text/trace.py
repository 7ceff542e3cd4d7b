"""Trace: the sightings of one text -> where it stands on every distinct frame, by its pixels.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.text.link import Sighting
from pipeline.text.look import Look, Match, cut_look, find_look, likeness_at
from pipeline.text.polygons import area, enclose, intersection, shift, text_height, tilt
from pipeline.text.strings import plain
from schemas.text import Polygon, TextPlace

CERTAIN = 0.92  # likeness at which nobody looks further for a better place
REACH = 0.8  # text heights that a text may stray from where its motion leads it, from one frame to the next
MIN_REACH = 4  # pixels
MAX_LOST = 12  # frames after which a lost text is only awaited where it stood, no longer searched for
SAME_HEIGHT = 1.25  # ratio of text heights up to which two polygons are of the same letters
CLEARLY = 0.15  # likeness by which one match is better than another
MIN_TURN = 3.5  # degrees between two polygons of letters that turn
EXPLAINED = 0.85  # share of a sighting's polygon inside the traced one


@dataclass(slots=True)
class Patience:
    """How many frames may still be compared for one clip: a screencast has dozens of texts on hundreds of frames."""

    num_left: int

    def is_over(self) -> bool:
        """Spend one comparison; True if there is none left."""
        self.num_left -= 1
        return self.num_left < 0


@dataclass(slots=True)
class Trace:
    """Where one text stands: polygon and likeness for each frame that shows it, the same for frames that might."""

    polygons: dict[int, Polygon] = field(default_factory=dict)
    likeness: dict[int, float] = field(default_factory=dict)
    doubts: dict[int, tuple[float, Polygon]] = field(default_factory=dict)

    def enter(self, frame: int, polygon: Polygon, likeness: float, *, is_other_shape: bool = False) -> None:
        """Note the text on a frame where it may be known already.

        Another shape of the same letters replaces what matches clearly worse; otherwise more of the line was met,
        and the polygon takes in both parts.
        """
        known = self.polygons.get(frame)
        if known is None or (is_other_shape and likeness > self.likeness[frame] + CLEARLY):
            self.polygons[frame], self.likeness[frame] = polygon, likeness
        elif not is_other_shape and text_height(polygon) <= SAME_HEIGHT * text_height(known):
            self.polygons[frame] = known if explains(known, polygon) else enclose(known, polygon)
        self.doubts.pop(frame, None)

    def suspect(self, frame: int, polygon: Polygon, likeness: float) -> None:
        """Note that the text may be on a frame."""
        if frame not in self.polygons and likeness > self.doubts.get(frame, (0.0, polygon))[0]:
            self.doubts[frame] = (likeness, polygon)

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


def explains(known: Polygon, polygon: Polygon) -> bool:
    """Tell whether nearly all of a polygon lies inside a known one."""
    return intersection(known, polygon) >= EXPLAINED * area(polygon)


def trace_text(
    frames: NDArray[np.uint8],
    sightings: Sequence[Sighting],
    *,
    grey: int,
    min_likeness: float,
    doubt_likeness: float,
    patience: Patience,
) -> Trace:
    """Follow a text from its fullest sighting to all frames (D, H, W, 4); sightings not explained by it add theirs.

    Where the pixels match, the polygon is that of the sighting, moved: so a text that stands still has one polygon
    however much OCR's boxes tremble.
    """
    trace = Trace()
    walked: list[str] = []
    for sighting in _fullest_first(sightings):
        polygon, text = sighting.box.polygon, plain(sighting.box.text)
        known = trace.polygons.get(sighting.frame)
        is_known_text = any(text in longer for longer in walked)
        if known is not None and is_known_text and not _is_turned(trace, sighting):
            continue
        if known is not None and not is_known_text and explains(known, polygon):
            continue
        walked.append(text)
        trace.enter(sighting.frame, polygon, 1.0, is_other_shape=is_known_text)
        walk = _Walk(frames, cut_look(frames[sighting.frame], polygon, grey=grey), grey, patience)
        for steps in (range(sighting.frame + 1, len(frames)), range(sighting.frame - 1, -1, -1)):
            for frame, match in walk.follow(steps, min_likeness=min_likeness):
                moved = shift(polygon, match.dx, match.dy)
                if match.likeness >= min_likeness:
                    trace.enter(frame, moved, match.likeness, is_other_shape=is_known_text)
                elif match.likeness >= doubt_likeness:
                    trace.suspect(frame, moved, match.likeness)
    return trace


def _is_turned(trace: Trace, sighting: Sighting) -> bool:
    """Tell whether letters already traced to the sighting's frame stand there at another angle."""
    if trace.likeness[sighting.frame] >= CERTAIN:
        return False
    angle = tilt(sighting.box.polygon) - tilt(trace.polygons[sighting.frame])
    return abs((angle + 90) % 180 - 90) > MIN_TURN


def _fullest_first(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Return the sightings, longest string first; of those the low polygons, for OCR's err by being too high."""
    lowest: dict[int, float] = {}
    for each in sightings:
        length = len(plain(each.box.text))
        lowest[length] = min(lowest.get(length, np.inf), text_height(each.box.polygon))

    def rank(each: Sighting) -> tuple[int, bool, float, int]:
        length = len(plain(each.box.text))
        is_high = text_height(each.box.polygon) > SAME_HEIGHT * lowest[length]
        return -length, is_high, -each.box.score, each.frame

    return sorted(sightings, key=rank)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One look being followed through the frames (D, H, W, 4)."""

    frames: NDArray[np.uint8]
    look: Look
    grey: int
    patience: Patience

    def follow(self, steps: range, *, min_likeness: float) -> list[tuple[int, Match]]:
        """Return the best match on each frame of the steps; a lost text is expected where its motion leads."""
        reach = max(MIN_REACH, round(REACH * text_height(self.look.polygon)))
        matches = []
        at, speed, lost = Match(0, 0, 1.0), (0, 0), 0
        for frame in steps:
            if self.patience.is_over():
                break
            lost += 1
            expected = (at.dx + lost * speed[0], at.dy + lost * speed[1])
            match = self._match(frame, at, expected, reach if lost <= MAX_LOST else None)
            matches.append((frame, match))
            if match.likeness >= min_likeness:
                speed = (match.dx - at.dx) // lost, (match.dy - at.dy) // lost
                at, lost = match, 0
        return matches

    def _match(self, frame: int, at: Match, expected: tuple[int, int], reach: int | None) -> Match:
        """Look where the text stood last and, unless `reach` is None, around where it is expected."""
        stay = Match(at.dx, at.dy, likeness_at(self.look, self.frames[frame], grey=self.grey, dx=at.dx, dy=at.dy))
        if stay.likeness >= CERTAIN or reach is None:
            return stay
        found = find_look(self.look, self.frames[frame], grey=self.grey, dx=expected[0], dy=expected[1], radius=reach)
        return found if found.likeness > stay.likeness else stay

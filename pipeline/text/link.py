"""Link: boxes that OCR read on some frames -> drafts of tracks, each the sightings of one text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.text.polygons import area as polygon_area
from pipeline.text.polygons import centre, intersection, text_height
from pipeline.text.strings import string_likeness
from schemas.text import TextBox

MAX_ZOOM = 2.0  # ratio of text heights between two sightings of one text
MIN_SHARED = 0.3  # share of the smaller polygon, to ask whether two readings are of the same pixels


@dataclass(frozen=True, slots=True)
class Sighting:
    """One reading on one distinct frame."""

    frame: int
    box: TextBox


Likeness = Callable[[Sighting, Sighting], float]
"""How much the pixels of two sightings resemble each other, 0 to 1."""


def link_boxes(
    read: Mapping[int, Sequence[TextBox]], *, likeness: Likeness, min_similarity: float, min_likeness: float
) -> list[list[Sighting]]:
    """Return drafts in order of appearance, the sightings of each in time order, at most one per frame.

    Two readings belong together if their strings are alike, wherever they stand, or if their pixels are.
    """
    drafts: list[list[Sighting]] = []
    for frame in sorted(read):
        arrivals = [Sighting(frame, box) for box in read[frame]]
        offers = []
        for number, draft in enumerate(drafts):
            for index, arrival in enumerate(arrivals):
                bond = _bond(draft, arrival, likeness, min_similarity=min_similarity, min_likeness=min_likeness)
                if bond is not None:
                    offers.append((-bond, number, index))
        taken: set[int] = set()
        grown: set[int] = set()
        for _, number, index in sorted(offers):
            if number in grown or index in taken:
                continue
            drafts[number].append(arrivals[index])
            grown.add(number)
            taken.add(index)
        drafts.extend([arrival] for index, arrival in enumerate(arrivals) if index not in taken)
    return drafts


def _bond(
    draft: Sequence[Sighting],
    arrival: Sighting,
    likeness: Likeness,
    *,
    min_similarity: float,
    min_likeness: float,
) -> float | None:
    """Return how well a sighting continues a draft (more is better), None if it does not."""
    last = draft[-1]
    heights = text_height(last.box.polygon), text_height(arrival.box.polygon)
    if max(heights) > MAX_ZOOM * min(heights):
        return None
    alike = max(string_likeness(each.box.text, arrival.box.text) for each in draft)
    if alike < min_similarity:
        smaller = min(polygon_area(last.box.polygon), polygon_area(arrival.box.polygon))
        if intersection(last.box.polygon, arrival.box.polygon) < MIN_SHARED * smaller:
            return None
        alike = likeness(last, arrival)
        if alike < min_likeness:
            return None
    distance = float(np.linalg.norm(centre(last.box.polygon) - centre(arrival.box.polygon)))
    return alike - 0.02 * distance / max(heights)

"""Believe: a draft of a track -> what it says, and whether it is text at all or a drawing taken for letters.

What OCR reads by mistake is nearly always one or two signs, differs from frame to frame or fills the canvas,
and is not read again when shown at another size.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.text.link import Sighting
from pipeline.text.polygons import area, intersection
from pipeline.text.second_look import SecondLooks
from pipeline.text.strings import believe, language, plain, string_likeness
from schemas.text import TextBox

WEAK_VOTES = 3  # frames that must read a string of one or two signs, or all frames read if they are fewer
SECURE_VOTES = 2  # frames that read a longer string, to spare it the second look
MIN_SHARED = 0.3  # share of the smaller polygon that two readings of one text have in common
SHAPES = frozenset("0o1i")  # circles and strokes: what any drawing is full of


def is_weak(text: str) -> bool:
    """Tell whether a drawing may pass for the string: one Chinese character, or one or two letters or digits."""
    return len(plain(text)) <= (1 if language(text) in ("zh", "mixed") else 2)


def best_sighting(sightings: Sequence[Sighting]) -> tuple[Sighting, float]:
    """Return the best sighting of the string most believed in, and that string's mean score."""
    text, score = believe((each.box.text, each.box.score) for each in sightings)
    agreeing = [each for each in sightings if each.box.text == text]
    return max(agreeing, key=lambda each: (each.box.score, -each.frame)), score


def may_be_text(sightings: Sequence[Sighting], shape: tuple[int, int], *, num_read: int, max_glyph_area: float) -> bool:
    """Judge by votes and size on the canvas (H, W): short strings must be small and read again and again."""
    text = best_sighting(sightings)[0].box.text
    if SHAPES.issuperset(plain(text)):
        return False
    if not is_weak(text):
        return True
    agreeing = [each for each in sightings if plain(each.box.text) == plain(text)]
    largest = max(area(each.box.polygon) for each in agreeing)
    is_small = largest <= max_glyph_area * shape[0] * shape[1]
    return is_small and len(agreeing) >= min(WEAK_VOTES, num_read)


def needs_second_look(sightings: Sequence[Sighting]) -> bool:
    """Tell whether the votes are too few, or the string too short, to be believed without being read again."""
    return len(sightings) < SECURE_VOTES or is_weak(best_sighting(sightings)[0].box.text)


def holds_at_second_look(
    frames: NDArray[np.uint8], sightings: Sequence[Sighting], looks: SecondLooks, *, min_similarity: float
) -> bool:
    """Read the best sighting again, enlarged; with the budget spent, nothing is believed that needs it."""
    best, _ = best_sighting(sightings)
    boxes = looks.read(frames[best.frame], best.box.polygon)
    return matching_box(boxes or [], best.box, min_similarity=min_similarity) is not None


def matching_box(boxes: Sequence[TextBox], wanted: TextBox, *, min_similarity: float) -> TextBox | None:
    """Return the box at the wanted place that reads like the wanted string, None if there is none."""
    for box in boxes:
        smaller = min(area(box.polygon), area(wanted.polygon))
        if intersection(box.polygon, wanted.polygon) < MIN_SHARED * smaller:
            continue
        if string_likeness(box.text, wanted.text) >= min_similarity:
            return box
    return None

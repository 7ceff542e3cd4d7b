"""Believe: a draft of a track -> whether it is text at all or a drawing taken for a letter.

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


def is_weak(text: str) -> bool:
    """Tell whether a drawing may pass for the string: one Chinese character, or one or two letters or digits."""
    return len(plain(text)) <= (1 if language(text) in ("zh", "mixed") else 2)


def may_be_text(
    sightings: Sequence[Sighting], *, num_read: int, canvas_area: float, max_glyph_area: float
) -> bool:
    """Judge by votes and size alone: longer strings pass, short ones must be small and read again and again."""
    text, _ = believe((each.box.text, each.box.score) for each in sightings)
    if not is_weak(text):
        return True
    agreeing = [each for each in sightings if plain(each.box.text) == plain(text)]
    largest = max(area(each.box.polygon) for each in agreeing)
    return len(agreeing) >= min(WEAK_VOTES, num_read) and largest <= max_glyph_area * canvas_area


def needs_second_look(sightings: Sequence[Sighting]) -> bool:
    """Tell whether the votes are too few, or the string too short, to be believed without being read again."""
    text, _ = believe((each.box.text, each.box.score) for each in sightings)
    return is_weak(text) or len(sightings) < SECURE_VOTES


def holds_at_second_look(
    frames: NDArray[np.uint8],
    sightings: Sequence[Sighting],
    looks: SecondLooks,
    *,
    min_similarity: float,
) -> bool:
    """Read the best sighting again, enlarged; with the budget spent, nothing is believed that needs it."""
    text, _ = believe((each.box.text, each.box.score) for each in sightings)
    best = max((each for each in sightings if each.box.text == text), key=lambda each: each.box.score)
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


def is_supported(sightings: Sequence[Sighting], frames_shown: Sequence[int], *, min_support: float) -> bool:
    """Tell whether enough of the frames that were read and show the same pixels were also read as this text."""
    return len(sightings) >= min_support * len(frames_shown)

"""Gate: the clip before and after -> what speaks against the cleaning.

Shapes: D distinct frames, H height, W width; 4 = RGBA, uint8.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.models.protocols import TextReader
from pipeline.text.backdrop import choose_backdrop, lay_over
from pipeline.text.believe import is_weak
from pipeline.text.polygons import area, grow, intersection, text_height
from pipeline.text.strings import plain
from schemas.text import TextBox, TextTrack

REACH = 0.3  # text heights around a track within which a reading is what was left of it
MOSTLY = 0.5  # share of a reading's polygon that must lie there


def residual_text(
    cleaned: NDArray[np.uint8],
    original: NDArray[np.uint8],
    tracks: Sequence[TextTrack],
    *,
    reader: TextReader,
    limit: int,
) -> str:
    """Read at most `limit` of the frames that had text; return what is still read where it stood, "" if nothing.

    The frames are spread evenly over those with text and read over the backdrop that the originals (D, H, W, 4) had.
    """
    grey = choose_backdrop(original)
    with_text = sorted(
        {frame for track in tracks for place in track.places for frame in range(place.first, place.last + 1)}
    )
    spread = np.linspace(0, len(with_text) - 1, min(limit, len(with_text))).round().astype(int)
    left: list[str] = []
    for frame in (with_text[index] for index in spread):
        for box in reader.read(lay_over(cleaned[frame], grey)):
            if is_left_over(box, frame, tracks):
                left.append(box.text)
    return " ".join(dict.fromkeys(left))


def is_left_over(box: TextBox, frame: int, tracks: Sequence[TextTrack]) -> bool:
    """Tell whether a reading on a cleaned frame lies where a track stood; a weak one must be a part of its string."""
    for track in tracks:
        if is_weak(box.text) and plain(box.text) not in plain(track.text):
            continue
        for place in track.places:
            if not place.first <= frame <= place.last:
                continue
            near = grow(place.polygon, REACH * text_height(place.polygon))
            if intersection(box.polygon, near) >= MOSTLY * area(box.polygon):
                return True
    return False

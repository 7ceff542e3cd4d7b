"""Unite: tracks as found -> tracks in reading order, without those that repeat a part of another."""

from collections.abc import Sequence

from pipeline.text.polygons import area, bounds, intersection
from pipeline.text.strings import plain
from schemas.text import Polygon, TextTrack

COVERED = 0.7  # share of a polygon inside another track's to count as the same ink


def drop_repetitions(tracks: Sequence[TextTrack]) -> list[TextTrack]:
    """Drop each track whose ink a longer track covers on every frame: OCR cut a line in two on some frames."""
    longest_first = sorted(
        tracks, key=lambda track: (-len(plain(track.text)), -track.score, track.first_frame)
    )
    kept: list[TextTrack] = []
    for track in longest_first:
        if not any(_is_covered(track, other) for other in kept):
            kept.append(track)
    return kept


def reading_order(tracks: Sequence[TextTrack]) -> list[TextTrack]:
    """Return the tracks by first frame, then from top to bottom, then from left to right."""
    return sorted(
        tracks, key=lambda track: (track.first_frame, *_top_left(track.places[0].polygon), track.text)
    )


def _is_covered(track: TextTrack, other: TextTrack) -> bool:
    for place in track.places:
        for frame in range(place.first, place.last + 1):
            polygon = _polygon_at(other, frame)
            if polygon is None or intersection(place.polygon, polygon) < COVERED * area(place.polygon):
                return False
    return True


def _polygon_at(track: TextTrack, frame: int) -> Polygon | None:
    return next((place.polygon for place in track.places if place.first <= frame <= place.last), None)


def _top_left(polygon: Polygon) -> tuple[float, float]:
    left, top, _, _ = bounds(polygon)
    return top, left

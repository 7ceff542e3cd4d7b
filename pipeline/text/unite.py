"""Unite: tracks as found -> tracks in reading order, none of which repeats a part of another."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.text.polygons import area, bounds, intersection
from pipeline.text.strings import plain
from schemas.text import Polygon, TextPlace, TextTrack

COVERED = 0.7  # share of a polygon inside another track's to count as the same ink
MOSTLY = 0.8  # share of its frames on which a track must be covered to be a part of the other


def unite_parts(tracks: Sequence[TextTrack]) -> list[TextTrack]:
    """Give each track whose ink a longer one covers to that one: OCR cut a line in two on some frames.

    The longer track also takes the places on frames that it was not known to stand on.
    """
    longest_first = sorted(tracks, key=lambda track: (-len(plain(track.text)), -track.score, track.first_frame))
    kept: list[TextTrack] = []
    for track in longest_first:
        for index, other in enumerate(kept):
            uncovered = _uncovered(track, other)
            if len(uncovered) <= (1 - MOSTLY) * _num_frames(track):
                kept[index] = _extended(other, uncovered)
                break
        else:
            kept.append(track)
    return kept


def reading_order(tracks: Sequence[TextTrack]) -> list[TextTrack]:
    """Return the tracks by first frame, then from top to bottom, then from left to right."""
    return sorted(tracks, key=lambda track: (track.first_frame, *_top_left(track.places[0].polygon), track.text))


def _uncovered(track: TextTrack, other: TextTrack) -> dict[int, Polygon]:
    """Return the frames on which the other track does not cover this one's ink."""
    lone: dict[int, Polygon] = {}
    for place in track.places:
        for frame in range(place.first, place.last + 1):
            polygon = _polygon_at(other, frame)
            if polygon is None or intersection(place.polygon, polygon) < COVERED * area(place.polygon):
                lone[frame] = place.polygon
    return lone


def _extended(track: TextTrack, more: dict[int, Polygon]) -> TextTrack:
    """Return the track with places on frames it had none; where it stands elsewhere, it stays as it is."""
    new = [TextPlace(frame, frame, more[frame]) for frame in more if _polygon_at(track, frame) is None]
    places = sorted([*track.places, *new], key=lambda place: place.first)
    return replace(track, first_frame=places[0].first, last_frame=max(place.last for place in places), places=places)


def _num_frames(track: TextTrack) -> int:
    return sum(place.last - place.first + 1 for place in track.places)


def _polygon_at(track: TextTrack, frame: int) -> Polygon | None:
    return next((place.polygon for place in track.places if place.first <= frame <= place.last), None)


def _top_left(polygon: Polygon) -> tuple[float, float]:
    left, top, _, _ = bounds(polygon)
    return top, left

"""Burnt-in text as data: boxes that one frame shows, tracks that a clip shows."""

from dataclasses import dataclass

Polygon = list[float]
"""Four corners, clockwise from the top left, as x0, y0, x1, y1, x2, y2, x3, y3 in pixels of the canvas."""


@dataclass(frozen=True, slots=True)
class TextBox:
    """What OCR read at one place of one frame."""

    text: str
    score: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a track stands from distinct frame `first` to distinct frame `last`, both included."""

    first: int
    last: int
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class TextTrack:
    """One string on its way through a clip."""

    text: str
    language: str
    score: float
    first_frame: int
    last_frame: int
    places: list[TextPlace]

"""Draft: the sightings of one text -> a finished track, or nothing if it is not to be believed.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.believe import (
    best_sighting,
    holds_at_second_look,
    matching_box,
    may_be_text,
    needs_second_look,
)
from pipeline.text.config import TextConfig
from pipeline.text.doubt import settle_doubts
from pipeline.text.link import Sighting
from pipeline.text.polygons import visible_share
from pipeline.text.second_look import SecondLooks
from pipeline.text.strings import language
from pipeline.text.trace import Patience, Trace, trace_text
from schemas.text import TextBox, TextTrack

WHOLE = 0.9  # visible share of a text from which it should be read correctly
FULLER = 0.05  # how much more of a text another frame must show to be read for its sake


@dataclass(frozen=True, slots=True)
class Drafting:
    """What judging every draft of one clip needs: its frames (D, H, W, 4) and which of them were read."""

    frames: NDArray[np.uint8]
    picked: Sequence[int]
    looks: SecondLooks
    patience: Patience
    config: TextConfig

    @property
    def shape(self) -> tuple[int, int]:
        """The canvas, H and W."""
        return self.frames.shape[1], self.frames.shape[2]

    def finish(self, sightings: Sequence[Sighting]) -> TextTrack | None:
        """Follow one draft through all frames; None if it is not to be believed."""
        if not self._is_believed(sightings):
            return None
        trace = self._trace(sightings)
        if not self._is_supported(sightings, trace):
            return None
        fuller = self._fuller_view(sightings, trace)
        if fuller is not None:
            sightings = [*sightings, fuller]
            trace = self._trace(sightings)
        text, score = self._best_string(sightings, trace)
        settle_doubts(self.frames, text, trace, self.picked, self.looks, min_similarity=self.config.min_similarity)
        places = trace.places()
        return TextTrack(
            text=text,
            language=language(text),
            score=round(score, 4),
            first_frame=places[0].first,
            last_frame=places[-1].last,
            places=places,
        )

    def _is_believed(self, sightings: Sequence[Sighting]) -> bool:
        if not may_be_text(sightings, self.shape, num_read=len(self.picked), max_glyph_area=self.config.max_glyph_area):
            return False
        return not needs_second_look(sightings) or holds_at_second_look(
            self.frames, sightings, self.looks, min_similarity=self.config.min_similarity
        )

    def _is_supported(self, sightings: Sequence[Sighting], trace: Trace) -> bool:
        """Tell whether enough of the frames that were read and show all of these pixels were read as this text."""
        votes = {each.frame for each in sightings}
        shown = [each for each in self.picked if each in votes or self._visible_at(trace, each) >= WHOLE]
        return len(votes) >= self.config.min_support * len(shown)

    def _trace(self, sightings: Sequence[Sighting]) -> Trace:
        return trace_text(
            self.frames,
            sightings,
            grey=self.looks.grey,
            min_likeness=self.config.min_likeness,
            doubt_likeness=self.config.doubt_likeness,
            patience=self.patience,
        )

    def _visible_at(self, trace: Trace, frame: int) -> float:
        """Return how much of the text the canvas holds on one frame, 0 to 1."""
        polygon = trace.polygons.get(frame)
        return 0.0 if polygon is None else visible_share(polygon, self.shape)

    def _best_string(self, sightings: Sequence[Sighting], trace: Trace) -> tuple[str, float]:
        """Return what the text says and the mean score; only the fullest views have a vote."""
        visible = [self._visible_at(trace, each.frame) for each in sightings]
        voters = [each for each, share in zip(sightings, visible, strict=True) if share >= WHOLE * max(visible)]
        best, score = best_sighting(voters)
        return best.box.text, score

    def _fuller_view(self, sightings: Sequence[Sighting], trace: Trace) -> Sighting | None:
        """Read a text that enters or leaves the canvas where most of it is visible, if no such frame was read."""
        frame = max(trace.polygons, key=lambda each: (self._visible_at(trace, each), -each))
        seen = max(self._visible_at(trace, each.frame) for each in sightings)
        if self._visible_at(trace, frame) < seen + FULLER:
            return None
        best, _ = best_sighting(sightings)
        wanted = TextBox(best.box.text, best.box.score, trace.polygons[frame])
        boxes = self.looks.read(self.frames[frame], wanted.polygon) or []
        found = matching_box(boxes, wanted, min_similarity=self.config.min_similarity)
        return Sighting(frame, found) if found is not None else None

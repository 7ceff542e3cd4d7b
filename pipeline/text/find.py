"""Find text: the distinct frames of a clip -> tracks of the text burnt into them.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.models.protocols import TextReader
from pipeline.text.backdrop import choose_backdrop, lay_over
from pipeline.text.believe import holds_at_second_look, is_supported, may_be_text, needs_second_look
from pipeline.text.config import TextConfig
from pipeline.text.doubt import settle_doubts
from pipeline.text.fit import fit_polygon
from pipeline.text.link import Sighting, link_boxes
from pipeline.text.look import cut_look, likeness_at
from pipeline.text.pick import pick_frames
from pipeline.text.polygons import union_area
from pipeline.text.second_look import SecondLooks
from pipeline.text.strings import believe, language
from pipeline.text.trace import Trace, trace_text
from pipeline.text.unite import drop_repetitions, reading_order
from schemas.answers import TextAnswer
from schemas.clip import Clip
from schemas.text import TextBox, TextTrack


def find_text(clip: Clip, *, config: TextConfig, reader: TextReader) -> TextAnswer:
    """Read a few frames, link what was read into tracks, and follow each track through all frames by its pixels.

    `text` of the answer is one line per track in order of appearance, then from top to bottom.
    """
    grey = choose_backdrop(clip.frames)
    picked = pick_frames(clip.frames, clip.durations_ms, grey=grey, limit=config.max_frames_read)
    read = {frame: _read(clip.frames[frame], reader, grey=grey) for frame in picked}
    looks = SecondLooks(reader, grey, config.max_second_looks)
    tracks = _tracks(clip.frames, read, looks, config=config)
    polygons = (place.polygon for track in tracks for place in track.places)
    return TextAnswer(
        text="\n".join(dict.fromkeys(track.text for track in tracks)),
        text_area=union_area(polygons, (clip.frames.shape[1], clip.frames.shape[2])),
        num_frames_read=len(picked),
        tracks=tracks,
        ocr_model=reader.identity,
    )


def _read(frame: NDArray[np.uint8], reader: TextReader, *, grey: int) -> list[TextBox]:
    boxes = reader.read(lay_over(frame, grey))
    return [TextBox(box.text, box.score, fit_polygon(frame, box.polygon, grey=grey)) for box in boxes]


def _tracks(
    frames: NDArray[np.uint8],
    read: Mapping[int, Sequence[TextBox]],
    looks: SecondLooks,
    *,
    config: TextConfig,
) -> list[TextTrack]:
    drafts = link_boxes(
        read,
        likeness=partial(_likeness, frames, looks.grey),
        min_similarity=config.min_similarity,
        min_likeness=config.min_likeness,
    )
    tracks = [_track(frames, draft, sorted(read), looks, config=config) for draft in drafts]
    return reading_order(drop_repetitions([track for track in tracks if track is not None]))


def _track(
    frames: NDArray[np.uint8],
    sightings: Sequence[Sighting],
    picked: Sequence[int],
    looks: SecondLooks,
    *,
    config: TextConfig,
) -> TextTrack | None:
    """Follow one draft through all frames (D, H, W, 4); None if it is not to be believed."""
    canvas_area = float(frames.shape[1] * frames.shape[2])
    if not may_be_text(
        sightings, num_read=len(picked), canvas_area=canvas_area, max_glyph_area=config.max_glyph_area
    ):
        return None
    if needs_second_look(sightings) and not holds_at_second_look(
        frames, sightings, looks, min_similarity=config.min_similarity
    ):
        return None
    trace = trace_text(
        frames,
        sightings,
        grey=looks.grey,
        min_likeness=config.min_likeness,
        doubt_likeness=config.doubt_likeness,
    )
    shown = [frame for frame in picked if frame in trace.polygons]
    if not is_supported(sightings, shown, min_support=config.min_support):
        return None
    text, score = believe((each.box.text, each.box.score) for each in sightings)
    settle_doubts(frames, text, trace, picked, looks, min_similarity=config.min_similarity)
    return _finished(text, score, trace)


def _finished(text: str, score: float, trace: Trace) -> TextTrack:
    places = trace.places()
    return TextTrack(
        text=text,
        language=language(text),
        score=round(score, 4),
        first_frame=places[0].first,
        last_frame=places[-1].last,
        places=places,
    )


def _likeness(frames: NDArray[np.uint8], grey: int, one: Sighting, other: Sighting) -> float:
    look = cut_look(frames[one.frame], one.box.polygon, grey=grey)
    return likeness_at(look, frames[other.frame], grey=grey)

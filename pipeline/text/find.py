"""Find text: the distinct frames of a clip -> tracks of the text burnt into them.

Shapes: H height, W width; 4 = straight RGBA, uint8.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.models.protocols import TextReader
from pipeline.text.backdrop import choose_backdrop, lay_over
from pipeline.text.config import TextConfig
from pipeline.text.draft import Drafting
from pipeline.text.fit import fit_polygon
from pipeline.text.link import Sighting, link_boxes
from pipeline.text.look import cut_look, likeness_at
from pipeline.text.pick import pick_frames
from pipeline.text.polygons import union_area
from pipeline.text.second_look import SecondLooks
from pipeline.text.trace import Patience
from pipeline.text.unite import reading_order, unite_parts
from schemas.answers import TextAnswer
from schemas.clip import Clip
from schemas.text import TextBox


def find_text(clip: Clip, *, config: TextConfig, reader: TextReader) -> TextAnswer:
    """Read a few frames, link what was read into tracks, and follow each track through all frames by its pixels.

    `text` of the answer is one line per track in order of appearance, then from top to bottom, each string once.
    """
    grey = choose_backdrop(clip.frames)
    picked = pick_frames(clip.frames, clip.durations_ms, grey=grey, limit=config.max_frames_read)
    read = {frame: _read(clip.frames[frame], reader, grey=grey) for frame in picked}
    drafts = link_boxes(
        read,
        likeness=partial(_likeness, clip.frames, grey),
        min_similarity=config.min_similarity,
        min_likeness=config.min_likeness,
    )
    looks = SecondLooks(reader, grey, config.max_second_looks)
    drafting = Drafting(clip.frames, picked, looks, Patience(config.max_comparisons), config)
    found = [track for track in map(drafting.finish, drafts) if track is not None]
    tracks = reading_order(unite_parts(found))
    polygons = (place.polygon for track in tracks for place in track.places)
    return TextAnswer(
        text="\n".join(dict.fromkeys(track.text for track in tracks)),
        text_area=union_area(polygons, drafting.shape),
        num_frames_read=len(picked),
        tracks=tracks,
        ocr_model=reader.identity,
    )


def _read(frame: NDArray[np.uint8], reader: TextReader, *, grey: int) -> list[TextBox]:
    boxes = reader.read(lay_over(frame, grey))
    return [TextBox(box.text, box.score, fit_polygon(frame, box.polygon, grey=grey)) for box in boxes]


def _likeness(frames: NDArray[np.uint8], grey: int, one: Sighting, other: Sighting) -> float:
    look = cut_look(frames[one.frame], one.box.polygon, grey=grey)
    return likeness_at(look, frames[other.frame], grey=grey)

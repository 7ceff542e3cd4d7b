"""From boxes to tracks: what is linked, what is picked to be read, what is a part of what."""

import numpy as np

from pipeline.text.link import Sighting, link_boxes
from pipeline.text.pick import pick_frames
from pipeline.text.polygons import shift
from pipeline.text.unite import reading_order, unite_parts
from schemas.text import Polygon, TextBox, TextPlace, TextTrack

BOX: Polygon = [10.0, 20.0, 40.0, 20.0, 40.0, 32.0, 10.0, 32.0]


def unlike(one: Sighting, other: Sighting) -> float:
    return 0.0


def equal(one: Sighting, other: Sighting) -> float:
    return 1.0


def texts(drafts: list[list[Sighting]]) -> list[list[str]]:
    return [[each.box.text for each in draft] for draft in drafts]


def test_one_string_that_moves_is_one_draft() -> None:
    read = {frame: [TextBox("hello", 0.9, shift(BOX, 9 * frame, 0))] for frame in (0, 4, 9)}
    drafts = link_boxes(read, likeness=unlike, min_similarity=0.6, min_likeness=0.6)
    assert texts(drafts) == [["hello"] * 3]


def test_two_captions_that_follow_each_other_in_one_place_are_two_drafts() -> None:
    read = {0: [TextBox("hello", 0.9, BOX)], 5: [TextBox("world", 0.9, BOX)]}
    drafts = link_boxes(read, likeness=unlike, min_similarity=0.6, min_likeness=0.6)
    assert texts(drafts) == [["hello"], ["world"]]


def test_the_same_pixels_read_differently_are_one_draft() -> None:
    read = {0: [TextBox("hello", 0.9, BOX)], 5: [TextBox("nclio", 0.7, BOX)]}
    drafts = link_boxes(read, likeness=equal, min_similarity=0.6, min_likeness=0.6)
    assert texts(drafts) == [["hello", "nclio"]]


def test_one_string_twice_on_a_frame_stays_two_texts_by_nearness() -> None:
    far = shift(BOX, 0, 60)
    read = {frame: [TextBox("haha", 0.9, far), TextBox("haha", 0.9, BOX)] for frame in range(3)}
    drafts = link_boxes(read, likeness=unlike, min_similarity=0.6, min_likeness=0.6)
    assert [{tuple(each.box.polygon) for each in draft} for draft in drafts] == [{tuple(far)}, {tuple(BOX)}]


def test_few_frames_are_all_picked() -> None:
    frames = np.zeros((5, 8, 8, 4), np.uint8)
    assert pick_frames(frames, [100] * 5, grey=255, limit=8) == [0, 1, 2, 3, 4]


def test_the_one_frame_that_looks_different_is_picked() -> None:
    frames = np.full((60, 48, 48, 4), 255, np.uint8)
    frames[:, :, :, 0] = np.linspace(200, 203, 60)[:, None, None]
    frames[37, 30:40, 5:40] = (10, 10, 10, 255)
    picked = pick_frames(frames, [100] * 60, grey=255, limit=6)
    assert 37 in picked
    assert len(picked) <= 6


def test_a_frame_that_is_held_for_most_of_the_time_is_picked() -> None:
    frames = np.full((40, 24, 24, 4), 255, np.uint8)
    frames[:, 0, 0, 0] = np.arange(40)
    assert 31 in pick_frames(frames, [20] * 31 + [5000] + [20] * 8, grey=255, limit=4)


def track(text: str, first: int, last: int, polygon: Polygon) -> TextTrack:
    return TextTrack(text, "en", 0.9, first, last, [TextPlace(first, last, polygon)])


def test_a_part_of_a_line_goes_to_the_line_with_its_extra_frames() -> None:
    left_half = [10.0, 20.0, 24.0, 20.0, 24.0, 32.0, 10.0, 32.0]
    (whole,) = unite_parts([track("he", 0, 9, left_half), track("hello", 1, 9, BOX)])
    assert (whole.text, whole.first_frame, whole.last_frame) == ("hello", 0, 9)
    assert [(place.first, place.last) for place in whole.places] == [(0, 0), (1, 9)]


def test_two_lines_side_by_side_are_kept_in_reading_order() -> None:
    below = track("below", 0, 9, shift(BOX, 0, 30))
    above = track("above", 0, 9, BOX)
    later = track("later", 5, 9, shift(BOX, 0, -20))
    assert [each.text for each in reading_order(unite_parts([later, below, above]))] == ["above", "below", "later"]

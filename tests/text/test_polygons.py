"""Polygons: sizes, overlaps and pixels of four corners, also where they leave the canvas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.polygons import (
    area,
    enclose,
    grow,
    intersection,
    overlap,
    rasterise,
    shift,
    text_height,
    union_area,
    visible_share,
    window,
)

BOX = [10.0, 20.0, 40.0, 20.0, 40.0, 32.0, 10.0, 32.0]
TILTED = [20.0, 10.0, 60.0, 30.0, 56.0, 38.0, 16.0, 18.0]


def test_a_box_covers_exactly_its_pixels() -> None:
    inside = rasterise(BOX, (60, 80))
    assert inside.sum() == 30 * 12
    assert inside[20:32, 10:40].all()


@given(dx=st.integers(-200, 200), dy=st.integers(-200, 200))
def test_a_polygon_anywhere_covers_what_the_canvas_has_of_it(dx: int, dy: int) -> None:
    canvas = np.zeros((60, 80), bool)
    top, left = 20 + dy, 10 + dx
    canvas[max(0, top) : max(0, top + 12), max(0, left) : max(0, left + 30)] = True
    moved = shift(BOX, dx, dy)
    assert np.array_equal(rasterise(moved, (60, 80)), canvas)
    rows, columns = window(moved, (60, 80), margin=5)
    assert canvas[rows, columns].sum() == canvas.sum()


def test_height_is_across_the_line_however_it_leans() -> None:
    assert text_height(BOX) == 12
    assert text_height(TILTED) == pytest.approx(np.hypot(4, 8))


@pytest.mark.parametrize("polygon", [BOX, TILTED])
def test_growing_moves_every_side_by_as_much(polygon: list[float]) -> None:
    bigger = grow(polygon, 3)
    assert text_height(bigger) == pytest.approx(text_height(polygon) + 6, abs=0.05)
    assert intersection(bigger, polygon) == pytest.approx(area(polygon), rel=0.01)
    assert area(grow(bigger, -3)) == pytest.approx(area(polygon), rel=0.01)


def test_union_counts_shared_pixels_once() -> None:
    assert union_area([BOX, BOX, shift(BOX, 15, 0)], (60, 80)) == pytest.approx(45 * 12 / (60 * 80))


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(BOX, BOX) == pytest.approx(1)
    assert overlap(BOX, shift(BOX, 15, 0)) == pytest.approx(1 / 3)
    assert overlap(BOX, shift(BOX, 100, 0)) == 0


def test_half_a_text_that_leaves_is_half_visible() -> None:
    assert visible_share(shift(BOX, -25, 0), (60, 80)) == pytest.approx(0.5)
    assert visible_share(BOX, (60, 80)) == pytest.approx(1)


def test_enclosing_takes_in_both_along_the_first() -> None:
    both = enclose(BOX, shift(BOX, 20, 0))
    assert both == [10.0, 20.0, 60.0, 20.0, 60.0, 32.0, 10.0, 32.0]

"""Flashes are counted as WCAG 2.3.1 counts them."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.quality.flash import max_flashes_per_second
from tests.quality.clips import SIZE, plain

BLACK, WHITE, RED = plain(0, 0, 0), plain(255, 255, 255), plain(255, 0, 0)


def flashes(frames: Sequence[NDArray[np.uint8]], durations_ms: Sequence[int]) -> float:
    return max_flashes_per_second(np.stack(frames)[:, ::2, ::2], durations_ms)


def covered(area: float, colour: NDArray[np.uint8], ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ground with a band of another colour at the top."""
    frame = ground.copy()
    frame[: int(area * SIZE)] = colour[0, 0]
    return frame


@pytest.mark.parametrize(("hertz", "delay_ms"), [(5, 100), (2, 250), (12.5, 40)])
def test_a_strobe_has_as_many_flashes_as_hertz(hertz: float, delay_ms: int) -> None:
    for rounds in (1, 5):
        assert flashes([BLACK, WHITE] * rounds, [delay_ms] * (2 * rounds)) == hertz


def test_the_seam_of_the_loop_flashes_too() -> None:
    grey = [plain(level, level, level) for level in range(0, 250, 10)]
    assert flashes(grey, [20] * 25) == 2, "each half second up slowly and down at once"
    assert flashes(grey, [200] * 25) == 0.5, "nearly two seconds from the fall to the rise"


def test_only_the_worst_second_counts() -> None:
    assert flashes([BLACK, WHITE] * 4, [100] * 7 + [9000]) == 4
    assert flashes([BLACK, WHITE] * 4, [2000] * 8) == 0.5


def test_a_quarter_of_the_canvas_has_to_flash() -> None:
    for area, expected in ((0.2, 0), (0.25, 5), (1, 5)):
        assert flashes([BLACK, covered(area, WHITE, BLACK)], [100, 100]) == expected, area


def test_halves_that_flash_against_each_other_are_a_flash_and_a_sweep_is_none() -> None:
    top, bottom = covered(0.5, WHITE, BLACK), covered(0.5, BLACK, WHITE)
    assert flashes([top, bottom], [100, 100]) == 5
    sweep = [covered((number + 1) / 32, WHITE, covered(number / 32, BLACK, BLACK)) for number in range(32)]
    assert flashes(sweep, [50] * 32) <= 0.5, "cells light up one after the other, and go dark once a round"


def test_small_and_bright_changes_are_none() -> None:
    dim = plain(70, 70, 70)  # a relative luminance of 0.06
    assert flashes([BLACK, dim], [100, 100]) == 0
    bright = plain(235, 235, 235)  # 0.83, not below 0.8
    assert flashes([bright, WHITE], [100, 100]) == 0
    assert flashes([plain(190, 190, 190), plain(235, 235, 235)], [100, 100]) == 5


def test_saturated_red_flashes_even_where_its_luminance_hardly_changes() -> None:
    as_light_grey = plain(127, 127, 127)  # relative luminance 0.21, as red has
    assert flashes([RED, as_light_grey], [100, 100]) == 5
    assert flashes([plain(60, 127, 127), as_light_grey], [100, 100]) == 0


def test_one_picture_does_not_flash() -> None:
    assert flashes([WHITE], [100]) == 0

"""Picture: one frame -> the facts a caption may state about it.

Shapes: H W frame, h w plate; 4 = straight RGBA, uint8.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import MAX_COLORS, Color, Format, Outline, Picture, Place, Scene, Size
from pipeline.models.describe.ground import find_figure, find_ground
from pipeline.models.describe.labels import shorten_label
from pipeline.models.describe.palette import name_shares
from pipeline.models.describe.plates import shrink_frame, thin_out

MAX_TINY_SIDE = 32  # pixels
MAX_SMALL_SIDE = 160  # pixels
MAX_MEDIUM_SIDE = 320  # pixels
MIN_WIDE_RATIO = 1.2  # of the canvas
MIN_LONG_RATIO = 1.35  # of the figure's box: wide or tall
MIN_EVEN_RATIO = 0.8  # of the figure's box: round or square
MIN_ROUND_OVERLAP = 0.94  # intersection over union with the ellipse in its box
MIN_SQUARE_FILL = 0.9  # share of its box
MIN_COLOR_SHARE = 0.08  # of the pixels of the figure
MAX_COLOR_SIDE = 128  # pixels looked at for colours
MIN_FIGURE_SHARE = 0.002  # of the canvas; less is dust
MIN_PART_SHARE = 0.08  # of what is seen: two such parts are a group
MIN_MAIN_SHARE = 0.75  # of what is seen: such a part is the figure
MIN_FULL_SPAN = 0.85  # of both sides of the canvas
MIN_OFF_CENTER = 0.12  # of the side of the canvas


class Box(NamedTuple):
    """Edges as fractions of the canvas."""

    left: float
    top: float
    right: float
    bottom: float


def measure_picture(frame: NDArray[np.uint8], label: str | None) -> Picture:
    """Return what is true of one frame (H, W, 4)."""
    height, width = frame.shape[:2]
    short_label = shorten_label(label or "") or None
    size, shape = size_of(max(height, width)), format_of(width / height)
    plate = shrink_frame(frame)
    ground = find_ground(plate)
    mask = find_figure(plate, ground)
    if mask.mean() < MIN_FIGURE_SHARE:
        return Picture(short_label, size, shape, Scene.EMPTY, background=ground.name or Color.CLEAR)
    sample = thin_out(frame, MAX_COLOR_SIDE)  # colours are not averaged: a black line on pink holds no brown
    colors = main_colors(sample[find_figure(sample, ground)][:, :3])
    if ground.name is None:
        return Picture(short_label, size, shape, Scene.SCENE, colors=colors)
    main = main_part(mask)
    if main is None:
        return Picture(short_label, size, shape, Scene.GROUP, None, colors, place_of(find_box(mask)), ground.name)
    place, outline = place_of(find_box(main)), outline_of(main, width / height)
    return Picture(short_label, size, shape, Scene.FIGURE, outline, colors, place, ground.name)


def size_of(longest_side: int) -> Size:
    limits = {Size.TINY: MAX_TINY_SIDE, Size.SMALL: MAX_SMALL_SIDE, Size.MEDIUM: MAX_MEDIUM_SIDE}
    return next((size for size, limit in limits.items() if longest_side <= limit), Size.LARGE)


def format_of(ratio: float) -> Format:
    if ratio >= MIN_WIDE_RATIO:
        return Format.WIDE
    return Format.TALL if ratio <= 1 / MIN_WIDE_RATIO else Format.SQUARE


def main_colors(rgb: NDArray[np.uint8]) -> tuple[Color, ...]:
    """Return the names that cover enough of the pixels (N, 3), the largest always."""
    shares = name_shares(rgb)
    return tuple(name for index, (name, share) in enumerate(shares) if index == 0 or share >= MIN_COLOR_SHARE)[
        :MAX_COLORS
    ]


def main_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return the connected part that is the figure (h, w), None if there are several parts of weight."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    shares = stats[1:, cv2.CC_STAT_AREA] / int(mask.sum())
    if shares.max() >= MIN_MAIN_SHARE:
        main: NDArray[np.bool_] = parts == 1 + int(shares.argmax())
        return main
    return None if (shares >= MIN_PART_SHARE).sum() >= 2 else mask


def find_box(mask: NDArray[np.bool_]) -> Box:
    """Return the box of the mask (h, w)."""
    left, right = _span(np.any(mask, axis=0))
    top, bottom = _span(np.any(mask, axis=1))
    return Box(left, top, right, bottom)


def _span(seen: NDArray[np.bool_]) -> tuple[float, float]:
    places = np.flatnonzero(seen)
    return float(places[0]) / len(seen), float(places[-1] + 1) / len(seen)


def outline_of(mask: NDArray[np.bool_], canvas_ratio: float) -> Outline | None:
    """Name the proportion of the figure, None if it is neither long nor plainly round or square."""
    box = find_box(mask)
    ratio = (box.right - box.left) / (box.bottom - box.top) * canvas_ratio
    if ratio >= MIN_LONG_RATIO:
        return Outline.WIDE
    if ratio <= 1 / MIN_LONG_RATIO:
        return Outline.TALL
    if not MIN_EVEN_RATIO <= ratio <= 1 / MIN_EVEN_RATIO:
        return None
    return _round_or_square(mask, box)


def _round_or_square(mask: NDArray[np.bool_], box: Box) -> Outline | None:
    height, width = mask.shape
    y = ((np.arange(height) + 0.5) / height - (box.top + box.bottom) / 2) / (box.bottom - box.top) * 2
    x = ((np.arange(width) + 0.5) / width - (box.left + box.right) / 2) / (box.right - box.left) * 2
    in_box = (np.abs(y) <= 1)[:, None] & (np.abs(x) <= 1)[None, :]
    ellipse = y[:, None] ** 2 + x[None, :] ** 2 <= 1
    if (mask & ellipse).sum() / (mask | ellipse).sum() >= MIN_ROUND_OVERLAP:
        return Outline.ROUND
    return Outline.SQUARE if (mask & in_box).sum() / in_box.sum() >= MIN_SQUARE_FILL else None


def place_of(box: Box) -> Place:
    """Name where the box lies."""
    if box.right - box.left >= MIN_FULL_SPAN and box.bottom - box.top >= MIN_FULL_SPAN:
        return Place.FULL
    return place_of_point((box.left + box.right) / 2, (box.top + box.bottom) / 2)


def place_of_point(x: float, y: float) -> Place:
    """Name where a point given in fractions of the canvas lies."""
    column = (x > 0.5 + MIN_OFF_CENTER) - (x < 0.5 - MIN_OFF_CENTER)
    row = (y > 0.5 + MIN_OFF_CENTER) - (y < 0.5 - MIN_OFF_CENTER)
    return place_at(int(row), int(column))


def place_at(row: int, column: int) -> Place:
    """Name a cell of three by three: -1 is the top or the left, 1 the bottom or the right."""
    return _PLACES[row + 1][column + 1]


_PLACES = (
    (Place.TOP_LEFT, Place.TOP, Place.TOP_RIGHT),
    (Place.LEFT, Place.CENTER, Place.RIGHT),
    (Place.BOTTOM_LEFT, Place.BOTTOM, Place.BOTTOM_RIGHT),
)

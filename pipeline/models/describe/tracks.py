"""Tracks: the plates of a clip -> one row of numbers per distinct frame, from which motion is told.

Shapes: D distinct frames, h w plate, 4 = straight RGBA uint8. Lengths are fractions of the canvas.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.ground import Ground, border_pixels, find_figure, find_ground
from pipeline.models.describe.palette import NAMES, color_codes, color_table
from pipeline.models.describe.plates import is_opaque

MIN_CHANGE = 32  # of 255 in any channel: what counts as a changed pixel
MIN_CHROMA = 15.0  # CIELAB; below it a pixel has no hue
MIN_SHOWN_SHARE = 0.05  # of the largest area: a frame that shows less shows nothing
MIN_GROUND_FRAMES = 0.9  # share of the plates whose border must still be background

Row = NDArray[np.float64]  # (D,)


@dataclass(frozen=True, slots=True)
class Tracks:
    """Numbers per distinct frame; NaN where a frame shows no figure.

    ground: the background, its name None if the whole picture is taken as the figure.
    masks: the figure, bool (D, h, w).
    shown: whether a frame shows any of it; area: its share of the canvas.
    lightness: mean L* of the figure; a, b: mean a*, b* of its coloured pixels; colored: their share.
    names: share of each of palette.NAMES among the coloured pixels, (D, 13).
    steps: mean change (0 to 1) from each frame to the next, the last entry from the last back to the first.
    stirred: how often each pixel changed (h, w), the way back to the first frame left out.
    """

    ground: Ground
    masks: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    area: Row
    lightness: Row
    a: Row
    b: Row
    colored: Row
    names: NDArray[np.float64]
    steps: Row
    stirred: NDArray[np.int_]


def measure_tracks(plates: NDArray[np.uint8]) -> Tracks:
    """Measure the plates (D, h, w, 4) of a clip."""
    ground = _steady_ground(plates)
    masks = find_figure(plates, ground)
    area = masks.mean(axis=(1, 2))
    colors = [_measure_colors(plate[mask][:, :3]) for plate, mask in zip(plates, masks, strict=True)]
    lightness, a, b, colored = np.array([color.means for color in colors]).T
    steps, stirred = _measure_change(plates)
    return Tracks(
        ground=ground,
        masks=masks,
        shown=(area > 0) & (area >= MIN_SHOWN_SHARE * area.max()),
        area=area,
        lightness=lightness,
        a=a,
        b=b,
        colored=colored,
        names=np.array([color.names for color in colors]),
        steps=steps,
        stirred=stirred,
    )


def _steady_ground(plates: NDArray[np.uint8]) -> Ground:
    """The background of the first plate that shows something, if it stays the background."""
    seen = is_opaque(plates).mean(axis=(1, 2))
    ground = find_ground(plates[int((seen >= MIN_SHOWN_SHARE * seen.max()).argmax())])
    if ground.lab is None:
        return ground
    borders = np.stack([border_pixels(plate) for plate in plates])  # D N 4
    is_ground = find_figure(borders, ground).mean(axis=1) <= 0.5
    return ground if is_ground.mean() >= MIN_GROUND_FRAMES else Ground(None)


class _Colors(NamedTuple):
    means: tuple[float, float, float, float]  # lightness, a, b, colored
    names: Row  # (13,)


def _measure_colors(rgb: NDArray[np.uint8]) -> _Colors:
    """Measure the pixels (N, 3) of the figure in one frame."""
    names = np.zeros(len(NAMES))
    if len(rgb) == 0:
        return _Colors((np.nan, np.nan, np.nan, 0.0), names)
    table = color_table()
    codes = color_codes(rgb)
    lab = table.lab[codes].astype(np.float64)
    lightness = float(lab[:, 0].mean())
    has_hue = np.hypot(lab[:, 1], lab[:, 2]) >= MIN_CHROMA
    if not has_hue.any():
        return _Colors((lightness, np.nan, np.nan, 0.0), names)
    a, b = lab[has_hue, 1:].mean(axis=0)
    names += np.bincount(table.name[codes[has_hue]], minlength=len(NAMES)) / has_hue.sum()
    return _Colors((lightness, float(a), float(b), float(has_hue.mean())), names)


def _measure_change(plates: NDArray[np.uint8]) -> tuple[Row, NDArray[np.int_]]:
    steps = np.zeros(len(plates))
    stirred = np.zeros(plates.shape[1:3], np.int_)
    for index, plate in enumerate(plates):
        difference = np.abs(plates[(index + 1) % len(plates)].astype(np.int16) - plate).max(axis=2)  # h w
        steps[index] = difference.mean() / 255
        if index + 1 < len(plates):
            stirred += difference >= MIN_CHANGE
    return steps, stirred

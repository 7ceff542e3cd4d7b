"""Ground: a plate -> what is background and what is figure.

Shapes: h w plate; 4 = straight RGBA, uint8. Masks are bool (h, w), True on the figure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Color
from pipeline.models.describe.palette import color_codes, color_table, name_shares
from pipeline.models.describe.plates import is_opaque

MIN_CLEAR_SHARE = 0.04  # of the canvas; less is a picture with rounded corners
MIN_UNIFORM_BORDER = 0.7  # share of the border pixels that look alike
MIN_PLAIN_SHARE = 0.15  # of the canvas; less is a frame around a picture
MAX_LIKENESS = 12.0  # CIELAB distance up to which two colours look alike


@dataclass(frozen=True, slots=True)
class Ground:
    """The background: transparent, one colour given as L*, a*, b*, or none that can be told from the rest."""

    name: Color | None
    lab: tuple[float, float, float] | None = None


def find_ground(plate: NDArray[np.uint8]) -> Ground:
    """Judge by transparency first, then by the border of the picture."""
    opaque = is_opaque(plate)
    if 1 - opaque.mean() >= MIN_CLEAR_SHARE:
        return Ground(Color.CLEAR)
    border = border_pixels(plate)
    border = border[is_opaque(border)]
    lab = color_table().lab[color_codes(border[:, :3])]
    middle = np.median(lab, axis=0)
    is_alike = np.linalg.norm(lab - middle, axis=1) <= MAX_LIKENESS
    found = Ground(None, (float(middle[0]), float(middle[1]), float(middle[2])))
    if is_alike.mean() < MIN_UNIFORM_BORDER or 1 - find_figure(plate, found).mean() < MIN_PLAIN_SHARE:
        return Ground(None)
    return Ground(name_shares(border[is_alike, :3])[0][0], found.lab)


def find_figure(plates: NDArray[np.uint8], ground: Ground) -> NDArray[np.bool_]:
    """Return what is not background in plates (..., 4) as masks (...); without a background, all."""
    opaque = is_opaque(plates)
    if ground.lab is None:
        return opaque
    lab = color_table().lab[color_codes(plates[..., :3])]
    is_other: NDArray[np.bool_] = np.linalg.norm(lab - np.array(ground.lab, np.float32), axis=-1) > MAX_LIKENESS
    return opaque & is_other


def border_pixels(plate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the outermost pixels (N, 4) of a plate (h, w, 4)."""
    sides = [plate[0], plate[-1], plate[1:-1, 0], plate[1:-1, -1]]
    return np.concatenate(sides)

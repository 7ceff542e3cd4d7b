"""Lettering plan and moment of the loop -> a layer of text to lay over one frame.

Shapes: H height, W width of the canvas, h w of the text alone, 4 = RGBA premultiplied.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from pipeline.synthetic.canvas import Colour
from pipeline.synthetic.fonts import cjk_font
from pipeline.synthetic.motions import Pose

SCALE = 3
"""Text is drawn this many times too large, then averaged."""
MARGIN = 0.03
"""Free room between text and edge, as a fraction of the canvas."""
LINE_HEIGHT = 1.15
MAX_TILT = 0.09
"""How far wobbling text leans, in radians."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """What is written on a sticker and how.

    size: wished height of the letters in pixels; smaller if the text would be wider than the canvas.
    place: bottom | top | over (on the lower half of the figure); mode: a name of MODES.
    outline: colour of the rim, None for bare letters; phase: 0 to 1, when `part` begins.
    """

    text: str
    language: str
    size: int
    place: str
    mode: str
    fill: Colour
    outline: Colour | None
    phase: float


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the text stands against its place of rest.

    dx: in canvas widths plus text widths (1 is just outside on the right); follows: share of the figure's
    movement it takes part in.
    """

    dx: float = 0.0
    follows: float = 0.0
    is_visible: bool = True


def _static(t: float, phase: float) -> Stand:
    return Stand()


def _part(t: float, phase: float) -> Stand:
    return Stand(is_visible=(t - phase) % 1 < 0.55)


def _blink(t: float, phase: float) -> Stand:
    return Stand(is_visible=(2 * t) % 1 < 0.6)


def _slide(t: float, phase: float) -> Stand:
    return Stand(dx=1 - 2 * t)


def _wobble(t: float, phase: float) -> Stand:
    return Stand(follows=1.0)


MODES: dict[str, Callable[[float, float], Stand]] = {
    "static": _static,
    "part": _part,
    "blink": _blink,
    "slide": _slide,
    "wobble": _wobble,
}


def fitting_size(lettering: Lettering, width: int) -> int:
    """Return the font size in pixels: the wished one, or the largest at which the canvas is wide enough."""
    font = cjk_font(lettering.size * SCALE)
    wide = max(font.getlength(line) for line in lettering.text.split("\n")) / SCALE
    room = width * (1 - 2 * MARGIN) - lettering.size * 0.2
    return max(8, min(lettering.size, math.floor(lettering.size * room / wide)))


@lru_cache(maxsize=32)
def _masks(text: str, size: int, *, has_outline: bool) -> tuple[Image.Image, Image.Image]:
    """Return the coverage of letters with rim and of letters alone, SCALE times too large."""
    font = cjk_font(size * SCALE)
    bold = max(1, round(size * SCALE * 0.035))
    rim = bold + max(SCALE, round(size * SCALE * 0.075)) if has_outline else bold
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))
    lines = [(line, number * round(size * SCALE * LINE_HEIGHT)) for number, line in enumerate(text.split("\n"))]
    boxes = [ruler.textbbox((0, y), line, font, "ms", stroke_width=rim) for line, y in lines]
    left, top = min(box[0] for box in boxes) - SCALE, min(box[1] for box in boxes) - SCALE
    right, bottom = max(box[2] for box in boxes) + SCALE, max(box[3] for box in boxes) + SCALE
    masks = []
    for stroke in (rim, bold):
        mask = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
        for line, y in lines:
            ImageDraw.Draw(mask).text((-left, y - top), line, 255, font, "ms", stroke_width=stroke)
        masks.append(mask)
    return masks[0], masks[1]


@lru_cache(maxsize=32)
def _letters(text: str, size: int, fill: Colour, outline: Colour | None, angle: float) -> NDArray[np.uint8]:
    """Return the text alone (h, w, 4), turned by `angle` radians clockwise."""
    shrunk = []
    for mask in _masks(text, size, has_outline=outline is not None):
        turned = mask.rotate(-math.degrees(angle), Image.Resampling.BICUBIC, expand=True) if angle else mask
        shrunk.append(turned.reduce(SCALE))
    rim, body = shrunk
    rim = ImageChops.lighter(rim, body)
    covered = np.asarray(rim, np.float64)[..., None]
    inside = np.asarray(body, np.float64)[..., None]
    colour = (inside * np.array(fill) + (covered - inside) * np.array(outline or fill)) / 255
    letters: NDArray[np.uint8] = np.rint(np.concatenate([colour, covered], axis=2)).astype(np.uint8)
    return letters


def lettering_height(lettering: Lettering, width: int) -> int:
    """Return the height in pixels that the text takes on a canvas of this width."""
    size = fitting_size(lettering, width)
    return int(_letters(lettering.text, size, lettering.fill, lettering.outline, 0.0).shape[0])


def draw_lettering(
    lettering: Lettering, pose: Pose, *, size: tuple[int, int], radius: float, t: float
) -> NDArray[np.uint8]:
    """Return a layer (H, W, 4) with the text at the moment `t`.

    size: W, H of the canvas; pose and radius (pixels) are those of the figure.
    """
    width, height = size
    layer = np.zeros((height, width, 4), np.uint8)
    stand = MODES[lettering.mode](t, lettering.phase)
    if not stand.is_visible:
        return layer
    tilt = round(stand.follows * MAX_TILT * math.sin(pose.angle + math.tau * t), 3)
    font_size = fitting_size(lettering, width)
    letters = _letters(lettering.text, font_size, lettering.fill, lettering.outline, tilt)
    rest = lettering_height(lettering, width)
    edge = height * MARGIN + rest / 2
    middle = {"top": edge, "bottom": height - edge, "over": min(height * 0.66, height - edge)}
    x = width / 2 + stand.dx * (width + letters.shape[1]) / 2 + stand.follows * pose.dx * radius * 0.6
    y = middle[lettering.place] + stand.follows * pose.dy * radius * 0.25
    _paste(layer, letters, round(x - letters.shape[1] / 2), round(y - letters.shape[0] / 2))
    return layer


def _paste(layer: NDArray[np.uint8], letters: NDArray[np.uint8], x: int, y: int) -> None:
    """Copy letters into the layer with their top left corner at (x, y), cutting what hangs over the edge."""
    height, width = layer.shape[:2]
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + letters.shape[1], width), min(y + letters.shape[0], height)
    if x0 < x1 and y0 < y1:
        layer[y0:y1, x0:x1] = letters[y0 - y : y1 - y, x0 - x : x1 - x]

"""Shown image: an image of any size -> as OCR models are shown it, and what they read -> text boxes in its own pixels.

Shapes: H height, W width; N readings; 3 = RGB, uint8.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.config import StrictConfig
from schemas.text import TextBox

MIN_CONTRAST = 8  # grey levels; below this nothing can be read and no model is asked
SMALLEST_SIDE = 64  # pixels handed to the detector at least, so that it never enlarges by itself
MAX_ASPECT = 8  # beyond it a library pads by itself, with black


class ReadingConfig(StrictConfig):
    """How an image is shown to the models and which of their readings count."""

    side: int = Field(224, ge=64, le=1280)  # pixels: a shorter side below this is enlarged to it
    max_side: int = Field(320, ge=64, le=4096)  # pixels: the longer side is at most this, whatever `side` says
    min_score: float = Field(0.7, ge=0, le=1)  # recognition score
    min_length: int = Field(2, ge=1)  # letters and digits; one Chinese character is always enough
    enlarge_limit: float = Field(16.0, ge=1)  # times; an icon of 16 pixels needs no more


@dataclass(frozen=True, slots=True)
class ShownImage:
    """An image (H, W, 3) as shown, times how much it was enlarged, and the padding put left and on top, in pixels."""

    pixels: NDArray[np.uint8]
    scale: float
    left: int
    top: int


def has_contrast(image: NDArray[np.uint8]) -> bool:
    """Tell whether an image holds anything that could be read."""
    return int(image.max()) - int(image.min()) >= MIN_CONTRAST


def show_image(image: NDArray[np.uint8], config: ReadingConfig) -> ShownImage:
    """Resize and pad an RGB image (H, W, 3); what comes out is bounded by `max_side` whatever goes in."""
    height, width = image.shape[:2]
    scale = min(max(config.side / min(height, width), 1.0), config.enlarge_limit)
    scale = min(scale, config.max_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown = image if size == (width, height) else cv2.resize(image, size, interpolation=method)
    shortest = max(SMALLEST_SIDE, -(-max(size) // MAX_ASPECT))
    left, top = (max(0, shortest - side) // 2 for side in size)
    right, bottom = (max(0, shortest - side - before) for side, before in zip(size, (left, top), strict=True))
    if left or top or right or bottom:
        shown = cv2.copyMakeBorder(shown, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return ShownImage(np.asarray(shown, np.uint8), scale, left, top)


def boxes_of(
    texts: Sequence[str],
    scores: Sequence[float],
    polygons: Sequence[NDArray[np.generic]],
    *,
    shown: ShownImage,
    size: tuple[int, int],
    config: ReadingConfig,
) -> list[TextBox]:
    """Return the readings that count, polygons in pixels of the original of `size` (H, W), in the order given.

    Each of the N polygons has four corners (4, 2) in pixels of the image as shown.
    """
    height, width = size
    boxes = []
    for text, score, corners in zip(texts, scores, polygons, strict=True):
        if float(score) < config.min_score or not is_enough_text(text, config.min_length):
            continue
        xy = (np.asarray(corners, np.float64) - (shown.left, shown.top)) / shown.scale
        xy = np.clip(xy, 0, (width, height))
        boxes.append(TextBox(text.strip(), float(score), [round(float(v), 2) for v in xy.reshape(-1)]))
    return boxes


def is_enough_text(text: str, min_length: int) -> bool:
    """Tell whether a reading has a CJK character or at least `min_length` letters and digits."""
    kinds = [unicodedata.category(character) for character in text]
    return "Lo" in kinds or sum(kind[0] in "LN" for kind in kinds) >= min_length

"""Inpainting without weights: an RGB image and a mask -> the image with the mask filled from its edge.

Shapes: H height, W width, N masked pixels; 3 = RGB, uint8.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.config import StrictConfig

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

NUM_DIRECTIONS = 16
ALIKE = 6.0  # grey levels: how much alike two ends of a line must be to belong together
LEAST_WEIGHT = 1e-12


class OpenCvInpaintConfig(StrictConfig):
    """Which method fills. `lines` joins like colours across the hole and leaves to Telea what no line crosses."""

    method: Literal["lines", "telea", "navier_stokes"] = "lines"
    radius: float = Field(3.0, gt=0, le=32)  # pixels that Telea and Navier-Stokes look around
    reach: int = Field(64, ge=1, le=1024)  # pixels that a line may cross on either side


class OpenCvInpainter:
    """An Inpainter for drawings: flat areas, soft gradients and outlines go on behind the text."""

    def __init__(self, config: OpenCvInpaintConfig) -> None:
        self._config = config

    @property
    def identity(self) -> str:
        """Library version and method."""
        return f"opencv-{self._config.method}/{cv2.__version__}"

    def inpaint(self, image: Image, mask: Mask) -> Image:
        """Fill the mask (H, W) of an RGB image (H, W, 3); if nothing is known, the image comes back as it was."""
        if not mask.any() or mask.all():
            return image.copy()
        if self._config.method == "navier_stokes":
            return _by_opencv(image, mask, cv2.INPAINT_NS, self._config.radius)
        if self._config.method == "telea":
            return _by_opencv(image, mask, cv2.INPAINT_TELEA, self._config.radius)
        filled, is_filled = _join_lines(image, mask, self._config.reach)
        return _by_opencv(filled, mask & ~is_filled, cv2.INPAINT_TELEA, self._config.radius)


def open_opencv_inpaint(config: OpenCvInpaintConfig) -> OpenCvInpainter:
    """Return the inpainter; nothing is loaded."""
    return OpenCvInpainter(config)


def _by_opencv(image: Image, mask: Mask, flag: int, radius: float) -> Image:
    if not mask.any():
        return image
    filled = cv2.inpaint(np.ascontiguousarray(image), mask.astype(np.uint8), radius, flag)
    return np.where(mask[..., None], filled, image).astype(np.uint8)


def _join_lines(image: Image, mask: Mask, reach: int) -> tuple[Image, Mask]:
    """Fill each masked pixel from the lines through it that join two known pixels; return also which were filled.

    Along a line the colour goes evenly from end to end. A line weighs more the shorter it is and the more alike its
    ends are: so an outline is carried on along itself and not blurred into what lies beside it.
    """
    rows, columns = np.nonzero(mask)
    total = np.zeros((len(rows), 3))
    weights = np.zeros(len(rows))
    for angle in np.arange(NUM_DIRECTIONS) * np.pi / NUM_DIRECTIONS:
        step = np.array([np.sin(angle), np.cos(angle)])
        ahead, ahead_far = _first_known(image, mask, rows, columns, step, reach)
        behind, behind_far = _first_known(image, mask, rows, columns, -step, reach)
        length = ahead_far + behind_far
        is_joined = np.isfinite(length)
        length = np.where(is_joined, length, 1.0)
        share = np.where(is_joined, ahead_far, 0.0)[:, None] / length[:, None]
        unlike = np.abs(ahead - behind).max(1)
        weight = np.where(is_joined, np.exp(-unlike / ALIKE) / length**2, 0.0)
        total += weight[:, None] * (ahead * (1 - share) + behind * share)
        weights += weight
    is_enough = weights > LEAST_WEIGHT
    filled, is_filled = image.copy(), np.zeros_like(mask)
    colours = np.rint(total[is_enough] / weights[is_enough, None]).astype(np.uint8)
    filled[rows[is_enough], columns[is_enough]] = colours
    is_filled[rows[is_enough], columns[is_enough]] = True
    return filled, is_filled


def _first_known(
    image: Image,
    mask: Mask,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    step: NDArray[np.float64],
    reach: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Walk from each of N pixels; return the first known colours (N, 3) and their distances, infinite if none."""
    colours = np.zeros((len(rows), 3))
    distances = np.full(len(rows), np.inf)
    going = np.arange(len(rows))
    for far in range(1, reach + 1):
        y = rows[going] + round(far * step[0])
        x = columns[going] + round(far * step[1])
        is_inside = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
        going, y, x = going[is_inside], y[is_inside], x[is_inside]
        is_known = ~mask[y, x]
        arrived = going[is_known]
        colours[arrived] = image[y[is_known], x[is_known]]
        distances[arrived] = far
        going = going[~is_known]
        if not len(going):
            break
    return colours, distances

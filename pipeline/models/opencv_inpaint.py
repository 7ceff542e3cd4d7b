"""Inpainting without weights: an RGB image and a mask -> the image with the mask filled from its edge.

Shapes: H height, W width; 3 = RGB, uint8.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.models.joined_lines import join_lines
from schemas.config import StrictConfig

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class OpenCvInpaintConfig(StrictConfig):
    """Which method fills. `lines` joins like colours across the hole and leaves to Telea what no line crosses."""

    method: Literal["lines", "telea", "navier_stokes"] = "lines"
    radius: float = Field(3.0, gt=0, le=32)  # pixels that Telea and Navier-Stokes look around


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
        filled, is_filled = join_lines(image, mask)
        return _by_opencv(filled, mask & ~is_filled, cv2.INPAINT_TELEA, self._config.radius)


def open_opencv_inpaint(config: OpenCvInpaintConfig) -> OpenCvInpainter:
    """Return the inpainter; nothing is loaded."""
    return OpenCvInpainter(config)


def _by_opencv(image: Image, mask: Mask, flag: int, radius: float) -> Image:
    if not mask.any():
        return image
    filled = cv2.inpaint(np.ascontiguousarray(image), mask.astype(np.uint8), radius, flag)
    return np.where(mask[..., None], filled, image).astype(np.uint8)

"""OpenCV inpainting: an RGB image and a mask -> the image with the mask filled from its edge."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.config import StrictConfig

METHODS = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}


class OpenCvInpaintConfig(StrictConfig):
    """Which of OpenCV's two methods fills, and how far it looks."""

    method: Literal["telea", "navier_stokes"] = "telea"
    radius: float = Field(3.0, gt=0, le=32)  # pixels


class OpenCvInpainter:
    """An Inpainter without weights: smooth continuation of what surrounds the mask."""

    def __init__(self, config: OpenCvInpaintConfig) -> None:
        self._config = config

    @property
    def identity(self) -> str:
        """Library version and method."""
        return f"opencv-{self._config.method}/{cv2.__version__}"

    def inpaint(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Fill the mask (H, W) of an RGB image (H, W, 3); a mask that leaves nothing to look at gives the image back."""
        if not mask.any() or mask.all():
            return image.copy()
        holes = mask.astype(np.uint8)
        filled = cv2.inpaint(image, holes, self._config.radius, METHODS[self._config.method])
        return np.where(mask[..., None], filled, image).astype(np.uint8)


def open_opencv_inpaint(config: OpenCvInpaintConfig) -> OpenCvInpainter:
    """Return the inpainter; nothing is loaded."""
    return OpenCvInpainter(config)

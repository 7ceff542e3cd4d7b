"""Sharpness: pictures -> how steep their edges are, from 0 (a blur) to 1 (every edge is one pixel wide).

Around every place with an edge, the largest step between two neighbouring pixels is divided by all contrast within nine
pixels. One hard step between two flat colours gives 1, a step blurred by a Gaussian of s pixels about 0.4 / s. Unlike
the variance of the Laplacian this depends neither on how strong the edges are nor on how much of the picture is flat,
so flat stickers and pixel art are not taken for blurred photographs.

Limits: dithering and noise look like edges and raise it; many edges within nine pixels, as in fine texture, lower it,
so a good photograph has about 0.5; what is blurred on purpose counts as blurred.
"""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 9  # pixels in a row within which contrast is measured
MIN_CONTRAST = 40  # of 255, less is no edge
MIN_EDGES = 12  # places; fewer say nothing


def sharpness(pictures: Iterable[NDArray[np.uint8]]) -> float | None:
    """Return the median over shown frames (H, W, 4) of their sharpness, 0 to 1; None if none of them has an edge."""
    found = [each for each in map(picture_sharpness, pictures) if each is not None]
    return float(np.median(found)) if found else None


def picture_sharpness(shown: NDArray[np.uint8]) -> float | None:
    """Return the median sharpness over all edges inside the visible part of one shown frame (H, W, 4)."""
    grey = cv2.cvtColor(shown, cv2.COLOR_RGBA2GRAY)
    hidden = shown[..., 3] < 255
    ratios = np.concatenate([_ratios(grey, hidden), _ratios(grey.T, hidden.T)])
    return float(np.median(ratios)) if len(ratios) >= MIN_EDGES else None


def _ratios(grey: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return largest step / contrast of each row of nine visible pixels (fewer in a small picture) with an edge."""
    reach = min(REACH, grey.shape[1])
    if reach < 2:
        return np.empty(0)
    grey = np.ascontiguousarray(grey)
    contrast = _windows(grey, reach, cv2.dilate) - _windows(grey, reach, cv2.erode)
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    steepest = _windows(steps, reach - 1, cv2.dilate)
    has_hidden = _windows(np.ascontiguousarray(hidden).view(np.uint8), reach, cv2.dilate)
    is_edge = (contrast >= MIN_CONTRAST) & (has_hidden == 0)
    ratios: NDArray[np.float64] = steepest[is_edge] / contrast[is_edge].astype(np.float64)
    return ratios


def _windows(values: NDArray[np.uint8], size: int, extreme: Callable[..., Any]) -> NDArray[np.uint8]:
    """Return the extreme of every `size` neighbours in a row that lie inside: (H, W) -> (H, W - size + 1)."""
    found = extreme(values, np.ones((1, size), np.uint8), anchor=(0, 0))
    return np.asarray(found, np.uint8)[:, : values.shape[1] - size + 1]

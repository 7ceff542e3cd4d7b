"""Likeness: a clip -> a signature that stays nearly the same when the clip is only presented otherwise.

Looking at the frames as a set, at averages over the loop, takes away where it starts and how fast it runs; the box of
the content takes away margins and scale; laying it over white the background. A mirrored clip has the signature
mirrored, which pipeline.near knows.

Shapes: D distinct frames, H height, W width, G = 8 cells a side, K = 4 coarse cells a side.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.quality.content_box import Box, cut_out
from pipeline.quality.signature import CELLS, COARSE, pack
from schemas.clip import Clip

MAX_SIDE = 64  # pixels; what is larger is looked at from further away
MAX_FRAMES = 64  # of a longer clip, so many evenly spaced
MAX_HOLD = 2.0  # no frame weighs more than so many typical ones, however long it is held
OVERLAP = 1.2  # cells reach into their neighbours, so that half a pixel changes little
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

Stack = NDArray[np.float32]


def sign_clip(clip: Clip) -> bytes:
    """Return the signature (pipeline.quality.signature.NUM_BYTES bytes) of a clip."""
    return sign_frames(clip.frames, clip.durations_ms)


def sign_frames(frames: NDArray[np.uint8], durations_ms: Sequence[int]) -> bytes:
    """Return the signature of distinct frames (D, H, W, 4), straight RGBA, and how long each is shown."""
    picked = _pick(len(frames))
    weights = _weigh([durations_ms[each] for each in picked])
    small = np.stack([_shrink(frames[each]) for each in picked])
    box = cut_out(small, weights)
    light = small @ LUMINANCE
    cells = _average(light[..., None], box, CELLS)[..., 0]  # (D, G, G)
    mean = np.tensordot(weights, cells, 1)
    spread = np.sqrt(np.tensordot(weights, (cells - mean) ** 2, 1))
    middle = np.tensordot(weights, small, 1)[None]
    coarse = _average(middle, box, COARSE)[0]  # (K, K, 3)
    grey = coarse @ LUMINANCE
    colour = np.stack([0.713 * (coarse[..., 0] - grey), 0.564 * (coarse[..., 2] - grey)])
    width, height = box.right - box.left, box.bottom - box.top
    enlarged = frames.shape[1] * frames.shape[2] / (small.shape[1] * small.shape[2])
    return pack(mean, spread, colour, aspect=width / height, pixels=width * height * enlarged)


def _pick(num_frames: int) -> list[int]:
    """Choose at most MAX_FRAMES of the frames, evenly."""
    step = max(1.0, num_frames / MAX_FRAMES)
    return [int(place * step) for place in range(min(num_frames, MAX_FRAMES))]


def _weigh(durations_ms: Sequence[int]) -> NDArray[np.float32]:
    """Return each frame's part of the loop; a long hold counts no more than MAX_HOLD typical frames."""
    shown = np.maximum(np.asarray(durations_ms, np.float64), 1)
    shown = np.minimum(shown, MAX_HOLD * np.median(shown))
    return np.asarray(shown / shown.sum(), np.float32)


def _shrink(frame: NDArray[np.uint8]) -> Stack:
    """Lay a frame (H, W, 4) over white and make its longer side at most MAX_SIDE: (h, w, 3)."""
    height, width = frame.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    if ((frame[..., 3] > 0) & (frame[..., 3] < 255)).any():
        frame = frame.copy()
        frame[..., :3] = cv2.multiply(frame[..., :3], cv2.merge([frame[..., 3]] * 3), scale=1 / 255)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(frame[..., :3] + (np.float32(255) - frame[..., 3:]), np.float32)


def _average(images: Stack, box: Box, num_cells: int) -> Stack:
    """Average images (D, h, w, C) over the cells of a box: (D, cells, cells, C). Outside of an image it is white."""
    num, height, width, channels = images.shape
    down = _cover(box.top, box.bottom, num_cells, height)
    across = _cover(box.left, box.right, num_cells, width)
    dark = images - np.float32(255)
    rows = (down @ dark.reshape(num, height, width * channels)).reshape(num, num_cells, width, channels)
    cells = rows.transpose(0, 1, 3, 2) @ across.T  # (D, cells, C, cells)
    return np.asarray(cells.transpose(0, 1, 3, 2) + np.float32(255))


def _cover(start: float, end: float, num_cells: int, num_pixels: int) -> Stack:
    """Return how much of each cell (rows) each pixel (columns) covers."""
    length = (end - start) / num_cells
    middles = start + length * (np.arange(num_cells) + 0.5)
    reach = length * OVERLAP / 2
    pixels = np.arange(num_pixels)
    covered = np.minimum(pixels + 1, (middles + reach)[:, None]) - np.maximum(pixels, (middles - reach)[:, None])
    return np.asarray(covered.clip(0, None) / (2 * reach), np.float32)

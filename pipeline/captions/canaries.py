"""Canaries: plain samples of unlike sizes, lengths and time axes, on which a model is tried out."""

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Clip

RED, BLUE, YELLOW = (220, 40, 40), (40, 80, 220), (250, 210, 40)


def _picture(height: int, width: int, colour: tuple[int, int, int], *, left: float = 0.25) -> NDArray[np.uint8]:
    """Draw a coloured block on a transparent ground, straight RGBA (H, W, 4); left: its place, as a share of W."""
    picture = np.zeros((height, width, 4), np.uint8)
    first = int(left * width)
    picture[height // 4 : -height // 4, first : first + width // 2] = (*colour, 255)
    return picture


def _clip(height: int, width: int, colour: tuple[int, int, int], *, num_frames: int, frame_ms: int) -> Clip:
    """Let the block go from left to right."""
    places = np.linspace(0, 0.5, num_frames)
    frames = np.stack([_picture(height, width, colour, left=float(left)) for left in places])
    return Clip(frames, (1,) * num_frames, (frame_ms,) * num_frames)


PICTURES = (_picture(64, 64, RED), _picture(96, 160, BLUE), _picture(240, 120, YELLOW))
CLIPS = (
    _clip(64, 64, RED, num_frames=2, frame_ms=400),
    _clip(96, 160, BLUE, num_frames=5, frame_ms=100),
    _clip(128, 96, YELLOW, num_frames=12, frame_ms=60),
)
CAPTIONS = (
    ("A cat.", "It jumps."),
    ("A yellow star with a smiling face on a blue ground.", "The star turns around twice and grows."),
    ("A bear in a green coat.", "The bear waves with its left paw, looks down, and walks out of the picture slowly."),
)
TEXTS = ("A cat.", "A yellow star turns around twice and grows on a blue ground.", "The bear waves. It walks away.")

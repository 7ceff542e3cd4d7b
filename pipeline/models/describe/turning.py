"""Turning: the figure's masks over time -> rotation in the picture plane, if rotating the figure proves it.

Shapes: D distinct frames, h w plate. Angles are radians, clockwise on the screen, of the figure's long axis
(so they repeat after half a turn).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import TURN_STEP_DEGREES, Turn

MIN_ELONGATION = 1.25  # long axis against short axis
MAX_AREA_RATIO = 1.2  # largest against smallest area
MIN_SWING_DEGREES = 15
MIN_OVERLAP = 0.85  # of a frame and the rotated reference
MIN_EXPLAINED = 0.5  # share of the difference that rotating removes
NUM_PROOFS = 8  # frames on which the rotation is tried


class Rotation(NamedTuple):
    """The turn in words and the angle over time (D,)."""

    turn: Turn
    signal: NDArray[np.float64]


class _Axis(NamedTuple):
    x: float
    y: float
    angle: float
    elongation: float


def find_turn(masks: NDArray[np.bool_]) -> Rotation | None:
    """Return how the figure (D, h, w), shown in every frame, turns."""
    areas = masks.sum(axis=(1, 2))
    if len(masks) < 2 or areas.max() > MAX_AREA_RATIO * areas.min():
        return None
    axes = [_measure_axis(mask) for mask in masks]
    if min(axis.elongation for axis in axes) < MIN_ELONGATION:
        return None
    angles = np.unwrap([axis.angle for axis in axes], period=math.pi)
    swing = math.degrees(float(np.ptp(angles)))
    if swing < MIN_SWING_DEGREES or not _is_proved(masks, axes, angles):
        return None
    closing = _half_turn_rest(angles[0] - angles[-1])
    if abs(angles[-1] + closing - angles[0]) > math.pi / 2:  # back at the start after at least half a turn
        return Rotation(Turn(), angles)
    steps = min(35, max(1, round(swing / TURN_STEP_DEGREES)))
    return Rotation(Turn(steps * TURN_STEP_DEGREES), angles)


def _measure_axis(mask: NDArray[np.bool_]) -> _Axis:
    moments = cv2.moments(mask.astype(np.uint8), binaryImage=True)
    area = moments["m00"]
    spread_x, spread_y = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12
    shared = moments["mu11"] / area
    middle, reach = (spread_x + spread_y) / 2, math.hypot((spread_x - spread_y) / 2, shared)
    angle = math.atan2(2 * shared, spread_x - spread_y) / 2
    elongation = math.sqrt((middle + reach) / (middle - reach))
    return _Axis(moments["m10"] / area, moments["m01"] / area, angle, elongation)


def _is_proved(masks: NDArray[np.bool_], axes: list[_Axis], angles: NDArray[np.float64]) -> bool:
    """Rotate the first figure onto some of the frames and see if they agree, where it is turned most."""
    is_far = np.abs(angles - angles[0]) >= np.abs(angles - angles[0]).max() / 2
    far = np.flatnonzero(is_far)
    chosen = far[np.linspace(0, len(far) - 1, min(NUM_PROOFS, len(far))).astype(int)]
    turned = np.array([_overlap(masks, axes, index, angles[index] - angles[0]) for index in chosen])
    unturned = np.array([_overlap(masks, axes, index, 0.0) for index in chosen])
    explained = (turned - unturned) / np.maximum(1 - unturned, 1e-9)
    return bool(np.median(turned) >= MIN_OVERLAP and np.median(explained) >= MIN_EXPLAINED)


def _overlap(masks: NDArray[np.bool_], axes: list[_Axis], index: int, angle: float) -> float:
    """Dice coefficient of a frame and the first figure, turned and laid on the frame's centre."""
    cos, sin = math.cos(angle), math.sin(angle)
    first, here = axes[0], axes[index]
    to_here = np.array(
        [
            [cos, -sin, here.x - cos * first.x + sin * first.y],
            [sin, cos, here.y - sin * first.x - cos * first.y],
        ]
    )
    height, width = masks.shape[1:]
    turned = cv2.warpAffine(masks[0].astype(np.uint8) * 255, to_here, (width, height)) >= 128
    return 2 * float((turned & masks[index]).sum()) / float(turned.sum() + masks[index].sum())


def _half_turn_rest(angle: float) -> float:
    return (angle + math.pi / 2) % math.pi - math.pi / 2

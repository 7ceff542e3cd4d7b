"""Motion name and moment of the loop -> how the figure stands at that moment.

A moment `t` runs from 0 to 1 over the loop; every pose at 1 equals the one at 0, so loops have no seam.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the figure is against its place of rest.

    dx, dy: in figure units; away: -1 (just out of the canvas on the left) to 1 (on the right).
    angle: radians, clockwise; stretch: factors across and down, the feet staying where they are.
    eyes_open: 0 to 1; arm: angle of a waving arm in radians, None if no arm is shown.
    """

    dx: float = 0.0
    dy: float = 0.0
    away: float = 0.0
    angle: float = 0.0
    stretch: tuple[float, float] = (1.0, 1.0)
    eyes_open: float = 1.0
    arm: float | None = None


def bounce(t: float) -> Pose:
    height = abs(math.sin(math.pi * t))
    squash = max(0.0, 1 - 2.5 * height) * 0.16 - height * 0.05
    return Pose(dy=-0.42 * height, stretch=(1 + squash, 1 - squash))


def shake(t: float) -> Pose:
    return Pose(dx=0.13 * math.sin(2 * math.tau * t), angle=0.07 * math.sin(2 * math.tau * t + 0.6))


def spin(t: float) -> Pose:
    return Pose(angle=math.tau * t)


def pulse(t: float) -> Pose:
    growth = 1 + 0.12 * math.sin(math.tau * t)
    return Pose(dy=0.06 * math.sin(math.tau * t), stretch=(growth, growth))


def slide(t: float) -> Pose:
    """Come in from the left, linger in the middle, leave to the right."""
    way = (t + 0.5) % 1 * 2 - 1
    return Pose(away=way * (0.25 + 0.75 * way**2), dy=-0.07 * abs(math.sin(2 * math.tau * t)), angle=0.12 * way)


def blink(t: float) -> Pose:
    return Pose(eyes_open=min(1.0, abs(t - 0.55) * 9))


def wave(t: float) -> Pose:
    return Pose(angle=0.06 * math.sin(math.tau * t), arm=0.1 + 0.5 * math.sin(2 * math.tau * t))


MOTIONS: dict[str, Callable[[float], Pose]] = {
    "bounce": bounce,
    "shake": shake,
    "spin": spin,
    "pulse": pulse,
    "slide": slide,
    "blink": blink,
    "wave": wave,
}

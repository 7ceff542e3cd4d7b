"""Plan -> sticker: draw every moment of the loop, once without and once with text, in one palette.

Shapes: T frames, H height, W width, 4 = RGBA.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.canvas import Pen, mixed, new_pen, over, smooth
from pipeline.synthetic.expressions import draw_face
from pipeline.synthetic.figures import FIGURES, draw_arm, draw_body
from pipeline.synthetic.lettering import MARGIN, draw_lettering, lettering_height
from pipeline.synthetic.motions import MOTIONS, Pose
from pipeline.synthetic.palette import quantise
from pipeline.synthetic.plan import Plan, plan_sticker
from pipeline.synthetic.scenery import draw_background
from pipeline.synthetic.sticker import Sticker

FEET = 1.05
"""How far below its centre a figure stands, in figure units."""


def draw_stickers(num: int, *, seed: int) -> Iterator[Sticker]:
    """Draw the first `num` stickers of the series `seed`, one after the other.

    The sticker at one place does not depend on `num`. Half of them carry text; ten labels share the series
    evenly, one in 37 has a rare label.
    """
    for number in range(num):
        yield draw_sticker(plan_sticker(number, seed=seed))


def draw_sticker(plan: Plan) -> Sticker:
    """Draw what a plan says."""
    num_frames = len(plan.delays_ms)
    centre_y, radius = _layout(plan)
    moments = [number / num_frames for number in range(num_frames)]
    poses = [MOTIONS[plan.motion](moment * plan.turns % 1) for moment in moments]
    clean = _draw_clean(plan, poses, centre_y=centre_y, radius=radius)
    if plan.lettering is None:
        frames = clean_frames = quantise(clean)
    else:
        layers = [
            draw_lettering(plan.lettering, pose, size=(plan.width, plan.height), radius=radius, t=t)
            for pose, t in zip(poses, moments, strict=True)
        ]
        both = quantise(np.concatenate([clean, over(np.stack(layers), clean)]))
        clean_frames, frames = both[:num_frames], both[num_frames:]
    text_mask = (frames != clean_frames).any(axis=3)
    return Sticker(
        name=plan.name,
        label=plan.label,
        frames=frames,
        clean_frames=clean_frames,
        text_mask=text_mask,
        text=plan.lettering.text if plan.lettering else None,
        language=plan.lettering.language if plan.lettering else None,
        text_box=_box(text_mask.any(axis=0)),
        delays_ms=plan.delays_ms,
        motion=plan.motion,
        shape=plan.shape,
    )


def _layout(plan: Plan) -> tuple[float, float]:
    """Return height of centre and radius of the figure in pixels, such that it stands clear of text above or below it.

    People who letter a sticker leave room for it; text that covers the figure is a place of its own, `over`.
    """
    top, bottom = 0.0, float(plan.height)
    if plan.lettering and plan.lettering.place != "over":
        room = min(lettering_height(plan.lettering, plan.width), plan.height * 0.3) + plan.height * MARGIN
        top += room if plan.lettering.place == "top" else 0.0
        bottom -= room if plan.lettering.place == "bottom" else 0.0
    radius = min(plan.width * 0.33, (bottom - top) * 0.345)
    return (top + bottom) / 2 + radius * 0.1, radius


def _draw_clean(plan: Plan, poses: list[Pose], *, centre_y: float, radius: float) -> NDArray[np.uint8]:
    """Return the premultiplied frames (T, H, W, 4) without text."""
    frames = []
    back = draw_background(plan.background, plan.width, plan.height, t=0.0)
    for number, pose in enumerate(poses):
        t = number / len(poses)
        if plan.background.is_moving:
            back = draw_background(plan.background, plan.width, plan.height, t=t)
        pen = new_pen(plan.width, plan.height)
        _draw_figure(plan, pen.moved(plan.width / 2, centre_y, scale=radius), pose, t)
        frames.append(over(smooth(pen.pixels), back))
    return np.stack(frames)


def _draw_figure(plan: Plan, pen: Pen, pose: Pose, t: float) -> None:
    """Draw shadow, body, face and props; the pen stands in the middle, its unit is the figure's radius."""
    figure = FIGURES[plan.shape]
    reach = plan.width * 3 / 2 / pen.matrix[0, 0] + 1.6
    pen = pen.moved(pose.dx + pose.away * reach, 0)
    if not plan.background.is_transparent:
        shadow = mixed(plan.background.ground, (60, 60, 90), 0.22)
        pen.ellipse(0, FEET + 0.08, (0.78 + 0.3 * pose.dy, 0.11), shadow)
    pen = pen.moved(0, pose.dy)
    body = pen.moved(0, FEET * (1 - pose.stretch[1]), angle=pose.angle, stretch=pose.stretch)
    if pose.arm is not None:
        draw_arm(body, figure, plan.colour, pose.arm)
    draw_body(body, figure, plan.colour, has_border=plan.has_border)
    x, y, scale = figure.face
    draw_face(body.moved(x, y, scale=scale), plan.expression, pose.eyes_open, t)
    for prop in plan.expression.around:
        prop(pen, t)


def _box(is_text: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Return x0, y0, x1, y1 around the true pixels of (H, W), the last two outside; None if there is none."""
    if not is_text.any():
        return None
    rows = np.flatnonzero(is_text.any(axis=1))
    columns = np.flatnonzero(is_text.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

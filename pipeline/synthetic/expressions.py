"""Label -> the face and the props that show it."""

from dataclasses import dataclass

from pipeline.synthetic import faces, props
from pipeline.synthetic.canvas import Colour, Pen


@dataclass(frozen=True, slots=True)
class Expression:
    """One way to show a feeling.

    on_face: props that move with the figure; around: props that stay upright and in place.
    can_blink: whether these eyes can close; body: the colour the figure turns, None for its own.
    """

    eyes: faces.Eyes
    mouth: faces.Mouth
    on_face: tuple[props.Prop, ...] = ()
    around: tuple[props.Prop, ...] = ()
    has_cheeks: bool = True
    can_blink: bool = False
    body: Colour | None = None


ANGRY_RED: Colour = (250, 122, 96)

EXPRESSIONS: dict[str, tuple[Expression, ...]] = {
    "smile": (
        Expression(faces.round_eyes, faces.smile, can_blink=True),
        Expression(faces.round_eyes, faces.cat_mouth, can_blink=True),
        Expression(faces.happy_eyes, faces.smile, around=(props.sparkles,)),
    ),
    "laugh": (
        Expression(faces.happy_eyes, faces.grin, on_face=(props.joy_tears,)),
        Expression(faces.squeezed_eyes, faces.grin),
    ),
    "cry": (
        Expression(faces.wet_eyes, faces.frown, on_face=(props.falling_tears,), can_blink=True),
        Expression(faces.sleeping_eyes, faces.wailing, on_face=(props.tear_streams,)),
    ),
    "love": (
        Expression(faces.heart_eyes, faces.grin, around=(props.floating_hearts,)),
        Expression(faces.happy_eyes, faces.cat_mouth, around=(props.floating_hearts,)),
    ),
    "angry": (
        Expression(faces.angry_eyes, faces.gritted, (props.anger_mark,), has_cheeks=False, can_blink=True),
        Expression(
            faces.angry_eyes,
            faces.frown,
            (),
            (props.steam,),
            has_cheeks=False,
            can_blink=True,
            body=ANGRY_RED,
        ),
    ),
    "sleepy": (
        Expression(faces.sleeping_eyes, faces.smile, on_face=(props.sleep_bubble,)),
        Expression(faces.sleeping_eyes, faces.yawn, on_face=(props.night_cap,)),
    ),
    "surprised": (
        Expression(faces.wide_eyes, faces.gasp, around=(props.surprise_lines,), can_blink=True),
        Expression(faces.wide_eyes, faces.wavy, on_face=(props.sweat_drop,), can_blink=True),
    ),
    "wink": (
        Expression(faces.winking_eyes, faces.tongue_out, can_blink=True),
        Expression(faces.winking_eyes, faces.smile, around=(props.sparkles,), can_blink=True),
    ),
    "ok": (
        Expression(faces.happy_eyes, faces.smile, around=(props.check_badge,)),
        Expression(faces.round_eyes, faces.grin, around=(props.thumb_up,), can_blink=True),
    ),
    "shy": (
        Expression(faces.round_eyes, faces.wavy, on_face=(props.blush_lines,), can_blink=True),
        Expression(faces.squeezed_eyes, faces.cat_mouth, on_face=(props.blush_lines,)),
    ),
    "dizzy": (Expression(faces.spiral_eyes, faces.wavy, around=(props.circling_stars,)),),
    "cool": (Expression(faces.sunglasses, faces.smile, around=(props.sparkles,), has_cheeks=False),),
    "hungry": (Expression(faces.round_eyes, faces.drooling, can_blink=True),),
}


def draw_face(pen: Pen, expression: Expression, eyes_open: float, t: float) -> None:
    """Draw cheeks, eyes, mouth and what moves with them; the pen stands in the middle of the face."""
    if expression.has_cheeks:
        faces.cheeks(pen)
    expression.mouth(pen, t)
    expression.eyes(pen, eyes_open, t)
    for prop in expression.on_face:
        prop(pen, t)

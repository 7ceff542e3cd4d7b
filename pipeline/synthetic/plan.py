"""A seed and a number -> every decision about one sticker, made before anything is drawn."""

from dataclasses import dataclass
from random import Random

from pipeline.synthetic.canvas import INK, WHITE, Colour
from pipeline.synthetic.expressions import EXPRESSIONS, Expression
from pipeline.synthetic.figures import FIGURES
from pipeline.synthetic.lettering import Lettering
from pipeline.synthetic.motions import MOTIONS
from pipeline.synthetic.phrases import PHRASES
from pipeline.synthetic.scenery import SCENES, Background

RARE_LABELS = ("dizzy", "cool", "hungry")
COMMON_LABELS = tuple(label for label in EXPRESSIONS if label not in RARE_LABELS)
RARE_EVERY = 37
"""One sticker in so many has a rare label; prime, so that it replaces each common one in turn."""

SIZES = (
    (96, 96),
    (120, 120),
    (128, 128),
    (160, 160),
    (180, 180),
    (200, 200),
    (240, 240),
    (200, 160),
    (150, 180),
)
LANGUAGES = ("zh", "en", "zh", "mixed", "zh", "en", "mixed")
MODES = ("static", "static", "static", "static", "part", "blink", "slide", "wobble")
PLACES = ("bottom", "bottom", "bottom", "top", "top", "over")
BACKGROUND_KINDS = ("transparent", "flat", "gradient", "scene")

SOFT: tuple[tuple[Colour, Colour], ...] = (
    ((255, 236, 210), (255, 204, 188)),
    ((214, 240, 255), (178, 214, 246)),
    ((232, 250, 220), (190, 232, 196)),
    ((246, 228, 255), (214, 196, 246)),
    ((255, 232, 240), (255, 196, 214)),
    ((255, 250, 214), (255, 228, 150)),
)
SCENE_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "meadow": ((168, 220, 250), (226, 246, 255)),
    "night": ((44, 48, 104), (96, 92, 160)),
    "sea": ((176, 226, 250), (232, 248, 255)),
    "snow": ((126, 170, 220), (196, 220, 244)),
}
BRIGHT: tuple[Colour, ...] = (
    (255, 196, 110),
    (255, 160, 170),
    (130, 206, 230),
    (180, 216, 130),
    (196, 170, 236),
)

LETTER_COLOURS: tuple[tuple[Colour, Colour | None], ...] = (
    (WHITE, (20, 20, 24)),
    (WHITE, (20, 20, 24)),
    ((24, 22, 26), WHITE),
    ((255, 222, 60), (60, 30, 20)),
    ((226, 40, 56), WHITE),
    ((255, 110, 160), WHITE),
    ((40, 110, 220), WHITE),
    (WHITE, (214, 60, 110)),
    (INK, None),
)
PLAIN_KINDS = ("transparent", "flat", "gradient")
"""Backgrounds on which dark letters without an outline can be read."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one sticker is to be drawn; sizes in pixels, one delay in milliseconds per frame.

    turns: how often the figure's motion repeats within the loop; -1 plays it backwards.
    """

    name: str
    label: str
    expression: Expression
    shape: str
    colour: Colour
    motion: str
    turns: int
    width: int
    height: int
    delays_ms: tuple[int, ...]
    background: Background
    has_border: bool
    lettering: Lettering | None


def plan_sticker(number: int, *, seed: int) -> Plan:
    """Decide everything about the sticker `number` of the series `seed`; depends on nothing else."""
    label = _label(number)
    return plan_labelled(label, number, seed=seed, has_text=(number + number // len(COMMON_LABELS)) % 2 == 0)


def plan_labelled(label: str, number: int, *, seed: int, has_text: bool) -> Plan:
    """Decide everything about a sticker of a given label; `number` is its place in the series `seed`."""
    rng = Random(f"sticker {seed} {number} {label}")
    width, height = rng.choice(SIZES)
    expression = rng.choice(EXPRESSIONS[label])
    background = _background(rng)
    motion = rng.choice(_motions(expression, background))
    shape = rng.choice(sorted(FIGURES))
    delays_ms = _delays(rng)
    return Plan(
        name=f"{label}-{number:04d}",
        label=label,
        expression=expression,
        shape=shape,
        colour=expression.body or rng.choice(FIGURES[shape].colours),
        motion=motion,
        turns=rng.choice((1, 2)) if len(delays_ms) >= 16 else 1,
        width=width,
        height=height,
        delays_ms=delays_ms,
        background=background,
        has_border=background.is_transparent and rng.random() < 0.6,
        lettering=_lettering(rng, label, number, min(width, height), background) if has_text else None,
    )


def _label(number: int) -> str:
    if number % RARE_EVERY == RARE_EVERY - 1:
        return RARE_LABELS[number // RARE_EVERY % len(RARE_LABELS)]
    return COMMON_LABELS[number % len(COMMON_LABELS)]


def _motions(expression: Expression, background: Background) -> list[str]:
    """Return the motions that show: closed eyes cannot blink, and a transparent clip must not be empty."""
    hidden = set() if expression.can_blink else {"blink"}
    if background.is_transparent:
        hidden.add("slide")
    return [name for name in MOTIONS if name not in hidden]


def _delays(rng: Random) -> tuple[int, ...]:
    """Mostly one delay for all frames; some wild files hold 0 or 10 ms, some vary."""
    num_frames = rng.randint(6, 24)
    kind = rng.random()
    if kind < 0.1:
        return (rng.choice((0, 10)),) * num_frames
    if kind < 0.25:
        return tuple(rng.randrange(40, 121, 10) for _ in range(num_frames))
    return (rng.randrange(40, 121, 10),) * num_frames


def _background(rng: Random) -> Background:
    kind = rng.choices(BACKGROUND_KINDS, (35, 20, 15, 30))[0]
    if kind == "scene":
        kind = rng.choice(sorted(SCENES))
    top, bottom = rng.choice(SOFT)
    if kind == "flat":
        bottom = top
    if kind in ("rays", "dots"):
        top = bottom = rng.choice(BRIGHT)
    top, bottom = SCENE_COLOURS.get(kind, (top, bottom))
    return Background(kind, top, bottom)


def _lettering(rng: Random, label: str, number: int, side: int, background: Background) -> Lettering:
    language = LANGUAGES[(number // 2 + number // len(COMMON_LABELS)) % len(LANGUAGES)]
    fill, outline = rng.choice(LETTER_COLOURS)
    place = rng.choice(PLACES)
    if place == "over" or background.kind not in PLAIN_KINDS:
        outline = outline or WHITE
    return Lettering(
        text=rng.choice(PHRASES[label][language]),
        language=language,
        size=round(side * rng.uniform(0.16, 0.21)),
        place=place,
        mode=rng.choice(MODES),
        fill=fill,
        outline=outline,
        phase=rng.uniform(0.1, 0.6),
    )

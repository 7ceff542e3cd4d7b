"""Grammar: facts -> English. What is written here is all that can be read back, and it reads back exactly."""

from pipeline.models.describe.facts import (
    Amount,
    Caption,
    Color,
    Hues,
    Length,
    Motion,
    Path,
    Picture,
    Rate,
    Scene,
    Still,
    Stir,
    Travel,
    Turn,
)
from pipeline.models.describe.labels import quote_label
from pipeline.models.describe.phrases import (
    AMOUNTS,
    BLINKS,
    COLORS,
    FORMATS,
    LOOPS,
    OUTLINES,
    PATHS,
    PLACELESS_PATHS,
    PLACES,
    PULSES,
    SCENES,
    SHARES,
    SIZES,
    STIR_PLACES,
    SUBJECTS,
    VERTICAL_PATHS,
)

STILL = "Nothing moves."
CHANGES = "changes"
MOVES = "moves"
NOUN = "sticker"
TURNS_ROUND = "turns all the way round"
SEVERAL_COLORS = "cycles through several colors"


def render_english(caption: Caption) -> str:
    """Return one line: the sentence about the picture, then that about the motion, where there are such.

    A small square sticker tagged "laugh": a round yellow figure with black, centered, on a white background.
    The figure moves up and down by a fifth of the height about twice a second and cycles through several
    colors, with changes over half of the canvas, mostly at the top, looping smoothly; 12 pictures in 1.2
    seconds.
    """
    sentences = []
    if caption.picture is not None:
        sentences.append(_picture(caption.picture))
    if isinstance(caption.motion, Motion):
        sentences.append(_motion(caption.motion))
    if isinstance(caption.motion, Still):
        sentences.append(STILL)
    return " ".join(sentences)


def _picture(picture: Picture) -> str:
    size = SIZES[picture.size].en if picture.size else ""
    shape = FORMATS[picture.format].en if picture.format else ""
    text = _with_article(size, shape, NOUN).capitalize()
    if picture.label is not None:
        text += f" tagged {quote_label(picture.label)}"
    if picture.scene is not None:
        text += ": " + _scene(picture.scene, picture)
    if picture.place is not None:
        text += f", {PLACES[picture.place].en}"
    if picture.background is not None and picture.scene is not Scene.EMPTY:
        text += f", on {_background(picture.background)}"
    return text + "."


def _scene(scene: Scene, picture: Picture) -> str:
    if scene is Scene.EMPTY:
        assert picture.background is not None
        return f"only {_background(picture.background)}"
    first, *others = [COLORS[color].en for color in picture.colors] or [""]
    outline = OUTLINES[picture.outline].en if picture.outline else ""
    noun = SCENES[scene].en
    text = _join("several", first, noun) if scene is Scene.GROUP else _with_article(outline, first, noun)
    return f"{text} with {' and '.join(others)}" if others else text


def _background(color: Color) -> str:
    return _with_article(COLORS[color].en, SCENES[Scene.EMPTY].en)


def _motion(motion: Motion) -> str:
    clauses = _clauses(motion) or [CHANGES]
    if motion.rate is not None:
        clauses[rated_clause(motion)] += f" {_rate(motion.rate)}"
    text = f"{SUBJECTS[motion.subject].en} {clauses[0]}"
    for index, clause in enumerate(clauses[1:], start=1):
        text += (" and " if index == len(clauses) - 1 else ", ") + clause
    if motion.stir is not None:
        text += f", with changes over {_stir(motion.stir)}"
    if motion.loop is not None:
        text += f", {LOOPS[motion.loop].en}"
    if motion.length is not None:
        text += f"; {_length(motion.length)}"
    return text + "."


def rated_clause(motion: Motion) -> int:
    """Return the place of the clause that a rate belongs to: the first of a rhythmic movement."""
    return int(motion.travel is not None and motion.travel.path is Path.NONE)


def _clauses(motion: Motion) -> list[str]:
    """The verbs in the order in which they are said."""
    clauses = []
    if motion.travel is not None:
        clauses.append(_travel(motion.travel))
    if motion.pulse is not None:
        clauses.append(PULSES[motion.pulse].en)
    if motion.turn is not None:
        clauses.append(_turn(motion.turn))
    if motion.blink is not None:
        clauses.append(BLINKS[motion.blink].en)
    if motion.hues is not None:
        clauses.append(_hues(motion.hues))
    return clauses


def _travel(travel: Travel) -> str:
    if not travel.path.is_way:
        return PLACELESS_PATHS[travel.path].en
    path = PATHS[travel.path].en
    if travel.amount is None:
        return f"{MOVES} {path}"
    if travel.amount is Amount.SLIGHT:
        return f"{MOVES} {AMOUNTS[travel.amount].en} {path}"
    side = "height" if travel.path in VERTICAL_PATHS else "width"
    return f"{MOVES} {path} by {AMOUNTS[travel.amount].en} of the {side}"


def _turn(turn: Turn) -> str:
    return TURNS_ROUND if turn.degrees is None else f"tilts by {turn.degrees} degrees"


def _hues(hues: Hues) -> str:
    if hues.first is None or hues.second is None:
        return SEVERAL_COLORS
    return f"changes between {COLORS[hues.first].en} and {COLORS[hues.second].en}"


def _rate(rate: Rate) -> str:
    if rate.seconds > 1:
        return f"about every {rate.seconds} seconds"
    times = {1: "once", 2: "twice"}.get(rate.times, f"{rate.times} times")
    return f"about {times} a second"


def _stir(stir: Stir) -> str:
    share = f"{SHARES[stir.share].en} of the canvas"
    return share if stir.place is None else f"{share}, mostly {STIR_PLACES[stir.place].en}"


def _length(length: Length) -> str:
    return f"{length.num_pictures} pictures in {length.tenths // 10}.{length.tenths % 10} seconds"


def _with_article(*words: str) -> str:
    phrase = _join(*words)
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)

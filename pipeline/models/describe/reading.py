"""Reading: an English text of our own grammar -> the facts it was made of; nothing else is understood.

The reader walks the text from left to right and is lenient about filler words, because its last step is
strict: facts that do not render to exactly the text they were read from are thrown away.
"""

import re

from pipeline.models.describe.facts import (
    Amount,
    Caption,
    Color,
    Hues,
    Length,
    Motion,
    Outline,
    Picture,
    Rate,
    Scene,
    Still,
    Stir,
    Travel,
    Turn,
)
from pipeline.models.describe.grammar import (
    CHANGES,
    MOVES,
    NOUN,
    SEVERAL_COLORS,
    STILL,
    TURNS_ROUND,
    render_english,
)
from pipeline.models.describe.labels import unquote_label
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
    Choice,
    Phrase,
)

MAX_TEXT_CHARACTERS = 1000  # our longest texts have about 600

_ARTICLE = re.compile(r"An? ")
_LABEL = re.compile(r' tagged "((?:[^"\\]|\\.)*)"')
_BEFORE_SCENE = re.compile(r": (?:only )?(?:an? |several )?")
_BEFORE_BACKGROUND = re.compile(r", on an? ")
_BETWEEN_CLAUSES = re.compile(r" and |, (?!with |looping |jumping )| ")
_OF_SIDE = re.compile(r" of the (?:width|height)")
_TILT = re.compile(r"tilts by ([0-9]{2,3}) degrees")
_TIMES = re.compile(r" about (?:(once)|(twice)|([0-9]{1,7}) times) a second")
_EVERY = re.compile(r" about every ([0-9]{1,7}) seconds")
_LENGTH = re.compile(r"; ([0-9]{1,7}) pictures in ([0-9]{1,9})\.([0-9]) seconds")


def read_english(text: str) -> Caption | None:
    """Return the facts of which `render_english` makes exactly this text, None if there are none."""
    if len(text) > MAX_TEXT_CHARACTERS:
        return None
    reader = _Reader(text)
    try:
        picture = _picture(reader)
        reader.skip(" ")
        motion = Still() if reader.skip(STILL) else _motion(reader)
        caption = Caption(picture, motion)
    except ValueError:  # right words that contradict each other, such as a label longer than labels get
        return None
    return caption if render_english(caption) == text else None


class _Reader:
    """A text and how far it has been read; every method reads on only if it finds what it looks for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def skip(self, words: str) -> bool:
        if not self._text.startswith(words, self._at):
            return False
        self._at += len(words)
        return True

    def find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def choose(self, phrases: dict[Choice, Phrase]) -> Choice | None:
        """Read the longest phrase of the table that stands here."""
        here = [choice for choice, phrase in phrases.items() if self._text.startswith(phrase.en, self._at)]
        if not here:
            return None
        longest = max(here, key=lambda choice: len(phrases[choice].en))
        self._at += len(phrases[longest].en)
        return longest


def _picture(reader: _Reader) -> Picture | None:
    if not reader.find(_ARTICLE):
        return None
    size = reader.choose(SIZES)
    reader.skip(" ")
    shape = reader.choose(FORMATS)
    reader.skip(" ")
    reader.skip(NOUN)
    quoted = reader.find(_LABEL)
    label = unquote_label(quoted[1]) if quoted else None
    scene, outline, colors = _scene(reader)
    if scene is Scene.EMPTY:
        reader.skip(".")
        return Picture(label, size, shape, scene, background=colors[0] if colors else None)
    background = _background(reader)
    place = None
    if background is None and reader.skip(", "):
        place = reader.choose(PLACES)
        background = _background(reader)
    reader.skip(".")
    return Picture(label, size, shape, scene, outline, colors, place, background)


def _scene(reader: _Reader) -> tuple[Scene | None, Outline | None, tuple[Color, ...]]:
    if not reader.find(_BEFORE_SCENE):
        return None, None, ()
    outline = reader.choose(OUTLINES)
    reader.skip(" ")
    first = reader.choose(COLORS)
    reader.skip(" ")
    scene = reader.choose(SCENES)
    others = []
    while reader.skip(" with ") or reader.skip(" and "):
        others.append(reader.choose(COLORS))
    return scene, outline, tuple(color for color in [first, *others] if color is not None)


def _background(reader: _Reader) -> Color | None:
    if not reader.find(_BEFORE_BACKGROUND):
        return None
    color = reader.choose(COLORS)
    reader.skip(" background")
    return color


def _motion(reader: _Reader) -> Motion | None:
    subject = reader.choose(SUBJECTS)
    if subject is None:
        return None
    reader.skip(" ")
    travel = _travel(reader)
    rate = _end_clause(reader)
    pulse = reader.choose(PULSES)
    rate = _end_clause(reader) or rate
    turn = _turn(reader)
    rate = _end_clause(reader) or rate
    blink = reader.choose(BLINKS)
    rate = _end_clause(reader) or rate
    hues = _hues(reader)
    stir = _stir(reader)
    loop = reader.choose(LOOPS) if reader.skip(", ") else None
    length = _length(reader)
    reader.skip(".")
    return Motion(subject, travel, pulse, turn, blink, hues, rate, stir, loop, length)


def _end_clause(reader: _Reader) -> Rate | None:
    """Read the rate that may follow a clause, and what joins it to the next."""
    rate = None
    if times := reader.find(_TIMES):
        rate = Rate(int(times[3] or (1 if times[1] else 2)), 1)
    elif every := reader.find(_EVERY):
        rate = Rate(1, int(every[1]))
    reader.find(_BETWEEN_CLAUSES)
    return rate


def _travel(reader: _Reader) -> Travel | None:
    placeless = reader.choose(PLACELESS_PATHS)
    if placeless is not None:
        return Travel(placeless)
    if not reader.skip(f"{MOVES} "):
        return None
    amount = Amount.SLIGHT if reader.skip(f"{AMOUNTS[Amount.SLIGHT].en} ") else None
    path = reader.choose(PATHS)
    if reader.skip(" by "):
        amount = reader.choose(AMOUNTS)
        reader.find(_OF_SIDE)
    return Travel(path, amount) if path is not None else None


def _turn(reader: _Reader) -> Turn | None:
    if reader.skip(TURNS_ROUND):
        return Turn()
    tilt = reader.find(_TILT)
    return Turn(int(tilt[1])) if tilt else None


def _hues(reader: _Reader) -> Hues | None:
    if reader.skip(SEVERAL_COLORS):
        return Hues()
    if not reader.skip("changes between "):
        reader.skip(CHANGES)
        return None
    first = reader.choose(COLORS)
    reader.skip(" and ")
    return Hues(first, reader.choose(COLORS))


def _stir(reader: _Reader) -> Stir | None:
    if not reader.skip(", with changes over "):
        return None
    share = reader.choose(SHARES)
    reader.skip(" of the canvas")
    place = reader.choose(STIR_PLACES) if reader.skip(", mostly ") else None
    return Stir(share, place) if share is not None else None


def _length(reader: _Reader) -> Length | None:
    found = reader.find(_LENGTH)
    return Length(int(found[1]), int(found[2] + found[3])) if found else None

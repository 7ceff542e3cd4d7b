"""Facts: what `describe` can say about a picture and its motion, as data; sentences are made of nothing else.

Every field may be None: that part is then not said. What contradicts itself cannot be built (ValueError).
"""

from dataclasses import dataclass
from enum import Enum, auto

from pipeline.models.describe.labels import shorten_label

MAX_COLORS = 3
MAX_PICTURES = 10**6
MAX_TENTHS = 10**9
MAX_RATE = 10**6
TURN_STEP_DEGREES = 10


class Size(Enum):
    """Longest side of the canvas."""

    TINY = auto()
    SMALL = auto()
    MEDIUM = auto()
    LARGE = auto()


class Format(Enum):
    """Proportion of the canvas."""

    SQUARE = auto()
    WIDE = auto()
    TALL = auto()


class Color(Enum):
    """The colours that have a name here; CLEAR is only ever a background."""

    BLACK = auto()
    WHITE = auto()
    GRAY = auto()
    RED = auto()
    ORANGE = auto()
    YELLOW = auto()
    GREEN = auto()
    TURQUOISE = auto()
    BLUE = auto()
    PURPLE = auto()
    PINK = auto()
    BROWN = auto()
    BEIGE = auto()
    CLEAR = auto()


class Scene(Enum):
    """FIGURE: one shape on a background; GROUP: several; SCENE: no background told apart; EMPTY: no shape."""

    FIGURE = auto()
    GROUP = auto()
    SCENE = auto()
    EMPTY = auto()


class Outline(Enum):
    """Proportion of the figure's own box; ROUND: it fills an ellipse."""

    ROUND = auto()
    SQUARE = auto()
    WIDE = auto()
    TALL = auto()


class Place(Enum):
    """Where on the canvas the box of the figure, or the bulk of the change, lies."""

    FULL = auto()
    CENTER = auto()
    LEFT = auto()
    RIGHT = auto()
    TOP = auto()
    BOTTOM = auto()
    TOP_LEFT = auto()
    TOP_RIGHT = auto()
    BOTTOM_LEFT = auto()
    BOTTOM_RIGHT = auto()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; `colors` by falling share of the figure (of everything for a SCENE), at most three."""

    label: str | None = None
    size: Size | None = None
    format: Format | None = None
    scene: Scene | None = None
    outline: Outline | None = None
    colors: tuple[Color, ...] = ()
    place: Place | None = None
    background: Color | None = None

    def __post_init__(self) -> None:
        is_short = self.label is None or (self.label != "" and self.label == shorten_label(self.label))
        _require(is_short, "a label is stored shortened, no label as None")
        _require(len(set(self.colors)) == len(self.colors) <= MAX_COLORS, "at most three different colours")
        _require(Color.CLEAR not in self.colors, "a figure is not transparent")
        has_figure = self.scene in (Scene.FIGURE, Scene.GROUP)
        _require(self.outline is None or self.scene is Scene.FIGURE, "only a figure has an outline")
        _require(self.place is None or has_figure, "only a figure or a group has a place")
        _require(not self.colors or has_figure or self.scene is Scene.SCENE, "colours of nothing")
        _require(self.background is None or has_figure or self.scene is Scene.EMPTY, "a background of nothing")
        _require(self.scene is not Scene.EMPTY or self.background is not None, "an empty picture is its background")


class Subject(Enum):
    """Who moves; IT refers to the sentence before."""

    FIGURE = auto()
    GROUP = auto()
    PICTURE = auto()
    IT = auto()


class Path(Enum):
    """How the figure travels. RESHAPE: its outline changes instead; NONE: it stays."""

    LEFT_RIGHT = auto()
    UP_DOWN = auto()
    DIAGONAL = auto()
    CIRCLE = auto()
    TO_LEFT = auto()
    TO_RIGHT = auto()
    UPWARD = auto()
    DOWNWARD = auto()
    RESHAPE = auto()
    NONE = auto()

    @property
    def is_way(self) -> bool:
        """True if the figure leaves its place."""
        return self not in (Path.RESHAPE, Path.NONE)


class Amount(Enum):
    """A rough fraction."""

    SLIGHT = auto()
    TENTH = auto()
    FIFTH = auto()
    QUARTER = auto()
    THIRD = auto()
    HALF = auto()
    MOST = auto()


class Pulse(Enum):
    """How the size of the figure changes."""

    GROWS = auto()
    SHRINKS = auto()
    BOTH = auto()


class Blink(Enum):
    """How the visibility or the brightness of the figure changes."""

    APPEARS = auto()
    VANISHES = auto()
    BOTH = auto()
    BRIGHTNESS = auto()


class Loop(Enum):
    """How the end of the clip meets its start."""

    SMOOTH = auto()
    JUMP = auto()


@dataclass(frozen=True, slots=True)
class Travel:
    """The way from end to end; `amount` is of the height if the path is vertical, else of the width."""

    path: Path
    amount: Amount | None = None

    def __post_init__(self) -> None:
        _require(self.path.is_way or self.amount is None, "what does not travel has no amount")


@dataclass(frozen=True, slots=True)
class Turn:
    """Rotation in the picture plane; `degrees` from end to end of the swing, None for whole turns."""

    degrees: int | None = None

    def __post_init__(self) -> None:
        steps = range(TURN_STEP_DEGREES, 360, TURN_STEP_DEGREES)
        _require(self.degrees is None or self.degrees in steps, "a swing is given in steps of ten degrees")


@dataclass(frozen=True, slots=True)
class Hues:
    """Colours the figure changes between; None, None: it goes through more than two."""

    first: Color | None = None
    second: Color | None = None

    def __post_init__(self) -> None:
        _require((self.first is None) == (self.second is None), "two colours or none")
        _require(self.first is None or self.first != self.second, "two different colours")
        _require(Color.CLEAR not in (self.first, self.second), "transparent is no colour")


@dataclass(frozen=True, slots=True)
class Rate:
    """`times` per `seconds`, one of them 1."""

    times: int
    seconds: int

    def __post_init__(self) -> None:
        _require(1 in (self.times, self.seconds), "times a second, or every so many seconds")
        _require(1 <= self.times <= MAX_RATE and 1 <= self.seconds <= MAX_RATE, "a rate is positive")


@dataclass(frozen=True, slots=True)
class Stir:
    """The part of the canvas whose pixels ever change, and where most of it lies."""

    share: Amount
    place: Place | None = None

    def __post_init__(self) -> None:
        _require(self.place is not Place.FULL, "a place is a part of the canvas")


@dataclass(frozen=True, slots=True)
class Length:
    """Distinct pictures and tenths of a second of one round."""

    num_pictures: int
    tenths: int

    def __post_init__(self) -> None:
        _require(2 <= self.num_pictures <= MAX_PICTURES, "a moving clip has two pictures or more")
        _require(0 <= self.tenths <= MAX_TENTHS, "a duration is not negative")


@dataclass(frozen=True, slots=True)
class Motion:
    """What happens in a clip of two or more distinct frames; without any parts only that it changes."""

    subject: Subject
    travel: Travel | None = None
    pulse: Pulse | None = None
    turn: Turn | None = None
    blink: Blink | None = None
    hues: Hues | None = None
    rate: Rate | None = None
    stir: Stir | None = None
    loop: Loop | None = None
    length: Length | None = None

    def __post_init__(self) -> None:
        _require(self.rate is None or self.is_rhythmic, "a rate of nothing")

    @property
    def is_rhythmic(self) -> bool:
        """True if something is said that may happen so many times a second."""
        moves = self.travel is not None and self.travel.path is not Path.NONE
        return moves or any((self.pulse, self.turn, self.blink))


@dataclass(frozen=True, slots=True)
class Still:
    """A clip of one distinct frame."""


@dataclass(frozen=True, slots=True)
class Caption:
    """Everything one text says: about the picture, about the motion, or both."""

    picture: Picture | None = None
    motion: Motion | Still | None = None

    def __post_init__(self) -> None:
        _require(self.picture is not None or self.motion is not None, "a caption says something")


def _require(holds: bool, claim: str) -> None:
    if not holds:
        raise ValueError(claim)

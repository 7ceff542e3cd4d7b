"""Review decision: what one person said about one sample, when, and in place of which text.

What is said is about a *subject*: whether the sample is in (`verdict`), or one of its captions. Of all that was said
about one subject of one sample the latest stands; the rest is kept.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.sample import KEY_HEX_DIGITS

Action = Literal["reject", "keep", "caption", "clear"]
CaptionField = Literal[
    "image_caption", "image_caption_zh", "video_caption", "video_caption_zh", "summary", "summary_zh"
]
CAPTION_FIELDS: tuple[str, ...] = (
    "image_caption",
    "image_caption_zh",
    "video_caption",
    "video_caption_zh",
    "summary",
    "summary_zh",
)
VERDICT = "verdict"
SUBJECTS = (VERDICT, *CAPTION_FIELDS)

KEY = re.compile(f"[0-9a-f]{{{KEY_HEX_DIGITS}}}")
ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{12}-\d{8}")
MAX_AHEAD = timedelta(minutes=5)  # of this machine's clock: what lies further ahead could not be taken back for long
REFUSED_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of pairs, separators of lines
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make a text read as another


def now() -> str:
    """Return this moment as decisions have it: UTC, to the microsecond, in a form that sorts by time."""
    return _stamp(datetime.now(UTC))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    """Refuse what is no line of text that people can read."""
    refused = [each for each in text if unicodedata.category(each) in REFUSED_CATEGORIES or each in TURNING]
    if refused:
        raise ValueError(f"holds U+{ord(refused[0]):04X}, expected one line of text without control characters")
    if not text.strip():
        raise ValueError("is empty, expected a line of text")
    return text.strip()


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is no time, expected one such as 2026-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError("has no time zone, expected one such as 2026-01-31T12:00:00Z")
    if moment > datetime.now(UTC) + MAX_AHEAD:
        raise ValueError("lies ahead: it would stand over all that is said until then")
    return _stamp(moment)


def _matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)


Line = AfterValidator(_plain)


class ReviewDecision(BaseModel):
    """One thing that one person said about one sample.

    action: `reject`, the sample is out; `keep`, it is in whatever the thresholds say; `caption`, `text` stands in
    `field`; `clear`, what was said about `field` (a caption, or "verdict"; None: about everything) is taken back.
    id: unique, sorts by time within equal times; given when the decision is stored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: Annotated[str, _matching(KEY, f"{KEY_HEX_DIGITS} hex digits in lower case, as `mobius fates --json` has them")]
    action: Action
    field: CaptionField | Literal["verdict"] | None = None
    text: Annotated[str, Field(max_length=4000), Line] | None = None
    note: Annotated[str, Field(max_length=1000), Line] | None = None
    reviewer: Annotated[str, Field(max_length=100), Line]
    time: Annotated[str, AfterValidator(_moment)] = Field(default_factory=now)
    id: Annotated[str, _matching(ID, "an id as `mobius review --list --json` has it")] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.action == "caption" and (self.field not in CAPTION_FIELDS or self.text is None):
            raise ValueError(f"a caption needs a text, and a field: one of {', '.join(CAPTION_FIELDS)}")
        if self.action != "caption" and self.text is not None:
            raise ValueError(f"{self.action} takes no text")
        if self.action in ("reject", "keep") and self.field is not None:
            raise ValueError(f"{self.action} is about the whole sample and takes no field")
        return self

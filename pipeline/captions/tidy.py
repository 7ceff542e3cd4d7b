"""Tidy: a text as a model wrote it -> one line without what surrounds it; and the same without what it quotes."""

import re
import unicodedata

QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』"}

_INVISIBLE = re.compile(
    "[\u200b\u200e\u200f\u2060\ufeff\u00ad\ufffd]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
    "|[\u061c\u202a-\u202e\u2066-\u2069]|[\U000e0000-\U000e007f]"  # turned writing, hidden tags
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|“(?:[^”\\]|\\.)*”|「[^」]*」|『[^』]*』|《[^》]*》|‘[^’]*’', re.DOTALL)


def tidy(text: str) -> str:
    """Return the text in one line, composed, without invisible characters and without quotes all around it."""
    plain = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return unwrap(" ".join(plain.split()))


def outside_quotes(text: str) -> str:
    """Return the text with everything quoted taken out: labels and burnt-in words may be in any language."""
    return _QUOTED.sub('""', text)


def straight(text: str) -> str:
    """Return the text with straight apostrophes, as patterns are written."""
    return text.replace("’", "'").replace("‘", "'")


def unwrap(text: str) -> str:
    """Return the text without quotes that are around all of it."""
    text = text.strip()
    while len(text) > 1 and QUOTES.get(text[0]) == text[-1]:
        inside = text[1:-1]
        if text[0] in inside or text[-1] in inside:
            break
        text = inside.strip()
    return text

r"""Labels: whatever a person typed as a tag <-> one short line that can stand between quotation marks.

A label may hold quotes, newlines, brackets, a megabyte. It is cut first (lossy, idempotent), then escaped
(reversible): a backslash before itself and before the quotation marks in use, \u{hex} for what does not
print.
"""

import re
import unicodedata

from pipeline.text_tokens import count_tokens

MAX_LABEL_CHARACTERS = 40
MAX_LABEL_TOKENS = 16  # leaves two thirds of a text encoder's 52 to the facts
ELLIPSIS = "…"
ENGLISH_QUOTES = '""'
CHINESE_QUOTES = "“”"

_ZERO_WIDTH_JOINER = "\u200d"  # keeps the parts of an emoji together
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]{1,6})\}|(.))", re.DOTALL)


def shorten_label(label: str) -> str:
    """Return the label stripped and cut to what a caption has room for; twice is as good as once."""
    whole = label.strip()
    if len(whole) <= MAX_LABEL_CHARACTERS and _num_tokens(whole) <= MAX_LABEL_TOKENS:
        return whole
    length = MAX_LABEL_CHARACTERS - len(ELLIPSIS)
    while _num_tokens(cut := whole[:length].rstrip() + ELLIPSIS) > MAX_LABEL_TOKENS:
        length -= 1
    return cut


def quote_label(label: str, quotes: str = ENGLISH_QUOTES) -> str:
    """Return the label between its quotation marks, escaped to one line."""
    return quotes[0] + "".join(_escape(character, quotes) for character in label) + quotes[1]


def unquote_label(escaped: str) -> str:
    r"""Undo the escaping between the quotation marks. Raises ValueError for a \u{} beyond Unicode."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], escaped)


def _escape(character: str, quotes: str) -> str:
    if character == "\\" or character in quotes:
        return "\\" + character
    if character.isprintable() or character == _ZERO_WIDTH_JOINER or unicodedata.category(character) == "Zs":
        return character
    return f"\\u{{{ord(character):x}}}"


def _num_tokens(label: str) -> int:
    return count_tokens(quote_label(label)) - count_tokens(quote_label(""))

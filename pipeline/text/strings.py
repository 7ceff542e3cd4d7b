"""Strings: readings of one text -> how alike they are, which to believe, which language."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher


def plain(text: str) -> str:
    """Return the letters and digits alone, lower case, full-width forms made narrow."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def similarity(one: str, other: str) -> float:
    """Return the share of characters two readings have in common, in order, 0 to 1."""
    return SequenceMatcher(None, plain(one), plain(other), autojunk=False).ratio()


def string_likeness(one: str, other: str) -> float:
    """Return their similarity, but all or nothing for one or two signs: half of such a string proves nothing."""
    if min(len(plain(one)), len(plain(other))) <= 2:
        return float(plain(one) == plain(other))
    return similarity(one, other)


def believe(readings: Iterable[tuple[str, float]]) -> tuple[str, float]:
    """Return the string with the largest sum of scores over its readings, and its mean score."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for text, score in readings:
        scores[text].append(score)
    text = max(scores, key=lambda each: (sum(scores[each]), len(each), each))
    return text, sum(scores[text]) / len(scores[text])


def language(text: str) -> str:
    """Return zh (Chinese characters), en (Latin letters), mixed (both) or other; digits and signs do not count."""
    scripts = {_script(character) for character in text if character.isalpha()}
    if scripts == {"zh"} or scripts == {"en"}:
        return scripts.pop()
    return "mixed" if scripts == {"zh", "en"} else "other"


def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("CJK"):
        return "zh"
    return "en" if "LATIN" in name else "other"

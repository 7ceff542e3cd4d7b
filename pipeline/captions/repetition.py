"""Repetition: a text that goes round in a loop, of characters, words or sentences -> RepetitionLoop."""

import re
from collections import Counter

from pipeline.captions.tidy import outside_quotes
from schemas.errors import RepetitionLoop

MAX_LOOKED_AT = 4000  # characters; a loop shows long before
MAX_RUN = 9  # of one letter: a scream or a laugh
MAX_HAN_RUN = 6  # of one Chinese character that is no sound
SOUNDS = "哈呵嘿嘻啊呀呜哇嗷嗯哦噢喔汪喵咩哼嗡咚咕啦滴嘟"
FUNCTION_WORDS = {"the", "a", "an", "of", "in", "is", "are", "and", "with", "to", "on", "at", "it"}
MAX_FUNCTION_WORDS = 2  # of one such word in a row
MAX_SIGN_RUN = 15  # of one sign or emoji
MAX_UNIT_WORDS = 16
MIN_TIMES = {1: 5, 2: 4}  # times that one or two words may not stand in a row; longer ones: TIMES
TIMES = 3
TWICE_WORDS = 6  # so many words are not said twice in a row by chance
SENTENCE_WORDS = 4  # so long a sentence is not said three times
VARIED_WORDS = 24  # in so long a text the groups of three words must differ ...
MIN_VARIETY = 0.45  # ... by this share

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_RUN = re.compile(rf"([^\W\d_])\1{{{MAX_RUN},}}|([^\w\s])\2{{{MAX_SIGN_RUN},}}")
_HAN_RUN = re.compile(rf"([{_HAN}])(?<![{SOUNDS}])\1{{{MAX_HAN_RUN},}}")
_HAN_LOOP = re.compile(rf"(?!([{_HAN}])\1)(?:([{_HAN}]{{2}})\2{{3,}}|([{_HAN}]{{3,40}}?)\3{{2,}})")
_LETTER_LOOP = re.compile(r"([^\W\d_]{2,12}?)\1{11,}")
_SENTENCE = re.compile(r"[.!?。！？;；\n]+")


def check_no_loop(text: str) -> None:
    """Raise RepetitionLoop for characters, words, groups of words or sentences that come again and again.

    Laughter, screams, "very very" and a movement to and fro are no loops; nor is what is quoted.
    """
    plain = outside_quotes(text[:MAX_LOOKED_AT])
    found = _character_loop(plain) or _word_loop(plain) or _sentence_loop(plain) or _sameness(plain)
    if found:
        raise RepetitionLoop(f"it repeats {found[:40]!r}: {text[:79]!r}")


def _character_loop(text: str) -> str | None:
    letters = re.sub(rf"[^{_HAN}]+", "", text)
    for pattern, where in ((_RUN, text), (_HAN_RUN, letters), (_HAN_LOOP, letters), (_LETTER_LOOP, text)):
        found = pattern.search(where)
        if found is not None:
            return found[0]
    return None


def _word_loop(text: str) -> str | None:
    """Return the first group of words that stands too many times in a row."""
    words = [word.lower() for word in _WORD.findall(text)]
    for index in range(MAX_FUNCTION_WORDS, len(words)):
        if words[index] in FUNCTION_WORDS and len({*words[index - MAX_FUNCTION_WORDS : index + 1]}) == 1:
            return " ".join(words[index - MAX_FUNCTION_WORDS : index + 1])
    for length in range(1, min(MAX_UNIT_WORDS, len(words) // 2) + 1):
        allowed = 2 if length >= TWICE_WORDS else MIN_TIMES.get(length, TIMES)
        num_same = 0  # words that equal the word `length` before them, in a row
        for index in range(length, len(words)):
            num_same = num_same + 1 if words[index] == words[index - length] else 0
            if num_same >= length * (allowed - 1):
                return " ".join(words[index - length + 1 : index + 1])
    return None


def _sentence_loop(text: str) -> str | None:
    sentences = [" ".join(_WORD.findall(part.lower())) for part in _SENTENCE.split(text)]
    said = [sentence for sentence in sentences if sentence]
    if len(said) > 1 and len(set(said)) == 1 and len(said[0].split()) >= SENTENCE_WORDS - 1:
        return said[0]
    counts = Counter(each for each in sentences if len(each.split()) >= SENTENCE_WORDS)
    return next((sentence for sentence, times in counts.items() if times >= TIMES), None)


def _sameness(text: str) -> str | None:
    """Return the commonest three words of a text that is made of few of them."""
    words = [word.lower() for word in _WORD.findall(text)]
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    if len(words) < VARIED_WORDS or len(triples) >= MIN_VARIETY * triples.total():
        return None
    return " ".join(triples.most_common(1)[0][0])

"""Summarise: a sample's captions -> one text short enough for the text encoder, made only of what they say.

Captions of `describe`'s grammar are read back into facts, and the most telling of these are said again, as
long as the text fits in English and in its translation. Of any other caption whole sentences are taken;
only a sentence that is too long by itself is cut, after a clause or at worst after a word.
"""

import re
from collections.abc import Sequence

from pipeline.models.describe.facts import Caption
from pipeline.models.describe.grammar import render_english
from pipeline.models.describe.reading import read_english
from pipeline.models.describe.shortening import shorten
from pipeline.models.grammar_zh import render_chinese
from pipeline.text_tokens import count_tokens
from schemas.errors import RefusedText

MAX_SENTENCES = 100  # looked at in each caption
MAX_CHARACTERS_PER_TOKEN = 20  # beyond it a "word" is no word, though a tokenizer takes it for one token

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+|(?<=[，；：、])|\s+[-–—]\s+")
_WORD_END = re.compile(r"\s+|(?<=[\u3400-\u9fff])|$")
_LOOSE_END = " \t,;:，；：、-–—"


class Extractive:
    """A Summarizer without a model."""

    identity = "embedded/extractive-1"

    def summarize(self, captions: Sequence[Sequence[str]], max_tokens: int) -> list[str]:
        """Merge each sample's captions into one text of at most `max_tokens` tokens by `count_tokens`.

        Raises RefusedText for a sample of which not even one word fits.
        """
        return [_summarize(texts, max_tokens) for texts in captions]


def _summarize(texts: Sequence[str], max_tokens: int) -> str:
    facts = _merge(texts)
    if facts is not None:
        summary = render_english(shorten(facts, lambda caption: _fits_both(caption, max_tokens)))
        return summary if _fits(summary, max_tokens) else _cut(summary, max_tokens)
    sentences = _choose_sentences(texts, max_tokens)
    if sentences:
        return " ".join(sentences)
    return _cut(" ".join(" ".join(texts).split()), max_tokens)


def _merge(texts: Sequence[str]) -> Caption | None:
    """The facts of both captions as one; None if a text is not of our grammar or two say the same."""
    captions = [read_english(text) for text in texts]
    known = [caption for caption in captions if caption is not None]
    pictures = [caption.picture for caption in known if caption.picture is not None]
    motions = [caption.motion for caption in known if caption.motion is not None]
    if not known or len(known) < len(captions) or len(pictures) > 1 or len(motions) > 1:
        return None
    return Caption(next(iter(pictures), None), next(iter(motions), None))


def _fits_both(caption: Caption, max_tokens: int) -> bool:
    return max(count_tokens(render_english(caption)), count_tokens(render_chinese(caption))) <= max_tokens


def _fits(text: str, max_tokens: int) -> bool:
    return len(text) <= MAX_CHARACTERS_PER_TOKEN * max_tokens and count_tokens(text) <= max_tokens


def _choose_sentences(texts: Sequence[str], max_tokens: int) -> list[str]:
    """Whole sentences that fit together: the first of every caption, then the second of every one, and so on.

    They are returned in the order of the captions, each once.
    """
    split = [[part.strip() for part in _SENTENCE_END.split(text) if _has_word(part)][:MAX_SENTENCES] for text in texts]
    places = sorted((place, index) for index, sentences in enumerate(split) for place in range(len(sentences)))
    chosen: dict[str, tuple[int, int]] = {}
    for place, index in places:
        sentence = split[index][place]
        if sentence not in chosen and _fits(" ".join([*chosen, sentence]), max_tokens):
            chosen[sentence] = (index, place)
    return sorted(chosen, key=lambda sentence: chosen[sentence])


def _cut(text: str, max_tokens: int) -> str:
    """Return the longest beginning that ends with a clause or else a word. Raises RefusedText."""
    head = text[: MAX_CHARACTERS_PER_TOKEN * max_tokens]
    for boundary in (_CLAUSE_END, _WORD_END):
        ends = [found.start() for found in boundary.finditer(head)]
        beginnings = [head[:end].rstrip(_LOOSE_END) for end in ends if end < len(head) or len(head) == len(text)]
        for beginning in reversed(beginnings):
            if _has_word(beginning) and _fits(finished := _finish(beginning), max_tokens):
                return finished
    raise RefusedText(f"no word of this text fits {max_tokens} tokens: {text[:79]!r}")


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _finish(beginning: str) -> str:
    return beginning if beginning[-1] in ".!?。！？" else f"{beginning}."

"""Language: a text in another language than asked for -> WrongLanguage.

Scripts decide where they can. Only between languages in Latin letters a model is asked, only about texts of some
length, and it must be sure: of "A cat." it cannot know.
"""

import re
import unicodedata
from functools import cache
from typing import Any

from pipeline.captions.tidy import outside_quotes
from schemas.errors import UserError, WrongLanguage

LANGUAGES = (
    "en",
    "fr",
    "de",
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "vi",
    "id",
    "tr",
    "sv",
)  # in Latin letters, well told apart
MIN_WORDS = 4
MAX_ENGLISH = 0.01  # probability below which a text is not English ...
MIN_OTHER = 0.5  # ... if that of another language is above this
MIN_LATIN = 0.6  # of the letters of an English text
MIN_FOREIGN = 0.1  # of the letters of a Chinese text: kana or hangul that are more than decoration
NOT_INSTALLED = "py3langid is not installed: pip install 'mobius[captions]', or set language_model = \"none\""

_WORD = re.compile(r"[^\W\d_]{2,}")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")


def check_english(text: str, *, with_model: bool) -> None:
    """Raise WrongLanguage unless a text is English, or too short to tell; what is quoted does not count.

    Raises UserError where the model is wanted and its library is missing.
    """
    plain = outside_quotes(text)
    letters = letters_of(plain)
    latin = sum(is_latin(letter) for letter in letters)
    if latin < MIN_LATIN * len(letters):
        raise WrongLanguage(f"{latin} of {len(letters)} letters are Latin, expected English: {text[:79]!r}")
    if not with_model or len(_WORD.findall(plain)) < MIN_WORDS:
        return
    ranked = dict(open_identifier().rank(plain))
    best = max(ranked, key=lambda language: ranked[language])
    if ranked["en"] < MAX_ENGLISH and ranked[best] > MIN_OTHER:
        raise WrongLanguage(f"it is {best!r} rather than English: {text[:79]!r}")


def check_not_japanese_or_korean(text: str) -> None:
    """Raise WrongLanguage for a Chinese text with kana or hangul in it; what is quoted does not count."""
    plain = outside_quotes(text)
    num_letters = len(letters_of(plain))
    for language, script in (("Japanese", _KANA), ("Korean", _HANGUL)):
        num_foreign = len(script.findall(plain))
        if num_foreign > 1 and num_foreign >= MIN_FOREIGN * num_letters:
            raise WrongLanguage(f"it has {num_foreign} letters of {language}, expected Chinese: {text[:79]!r}")


def letters_of(text: str) -> str:
    """Return the letters and ideographs of a text."""
    return "".join(character for character in text if unicodedata.category(character)[0] == "L")


def is_latin(letter: str) -> bool:
    """Tell whether a letter is one of the Latin script, with or without accents."""
    return letter.isascii() or "\u00c0" <= letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff"


@cache
def open_identifier() -> Any:
    """Load the language model (about 2 s, once per process). Raises UserError where it is missing."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise UserError(NOT_INSTALLED) from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier

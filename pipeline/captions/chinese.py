"""Chinese: a translation -> the same in simplified characters, or an error where it is not Chinese enough."""

from functools import cache
from typing import Any, Literal

from pipeline.captions.language import letters_of
from pipeline.captions.tidy import outside_quotes
from schemas.errors import TooLittleChinese, Traditional, UserError

NOT_INSTALLED = "OpenCC is not installed: pip install 'mobius[captions]', or set traditional = \"keep\""


def check_chinese_share(text: str, min_han: float) -> None:
    """Raise TooLittleChinese where too few of the letters are Chinese characters; what is quoted does not count."""
    letters = letters_of(outside_quotes(text))
    num_han = sum(map(is_han, letters))
    if letters and num_han < min_han * len(letters):
        raise TooLittleChinese(f"{num_han} of {len(letters)} letters are Chinese: {text[:79]!r}")


def simplify(text: str, traditional: Literal["simplify", "refuse", "keep"]) -> str:
    """Return the text in simplified characters; raises Traditional where traditional ones are to be refused.

    Raises UserError where the library is missing.
    """
    if traditional == "keep":
        return text
    simplified = str(open_converter().convert(text))
    if traditional == "refuse" and outside_quotes(simplified) != outside_quotes(text):
        changed = next((old for old, new in zip(text, simplified, strict=False) if old != new), "")
        raise Traditional(f"it has traditional characters, the first {changed!r}: {text[:79]!r}")
    return simplified


def is_han(character: str) -> bool:
    """Tell whether a character is a Chinese ideograph."""
    return (
        "\u3400" <= character <= "\u9fff"
        or "\U00020000" <= character <= "\U0003ffff"
        or "\uf900" <= character <= "\ufaff"
    )


@cache
def open_converter() -> Any:
    """Load the tables of traditional characters, once per process. Raises UserError where they are missing."""
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise UserError(NOT_INSTALLED) from error
    return OpenCC("t2s")

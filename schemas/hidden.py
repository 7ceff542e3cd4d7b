"""Hidden: a text that is to be kept or shown -> the same text without the keys, tokens and passwords known here.

A secret gets into a text by accident: a library quotes a URL, a server repeats a header, an error shows its arguments.
Known are the values of environment variables whose names say so, passwords inside URLs, and what was remembered.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from schemas.errors import MobiusError

P = ParamSpec("P")
R = TypeVar("R")

HIDDEN = "***"
SHORTEST_SECRET = 6  # characters; a shorter value is part of too many innocent words
VARIABLE = re.compile(r"(^|_)(KEY|KEY_ID|APIKEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|AUTH|AUTH_STRING)$", re.I)
USER = re.compile(r"(?<=://)[^\s/@'\"]+@")
USER_WITH_SLASHES = re.compile(r"(?<=://)[^\s/@:]+:(?!\d+(?:[/\s]|$))([^\s@]+)@")  # as keys of S3 have them
_remembered: set[str] = set()


def remember_secret(value: str) -> None:
    """Have a secret that stands in no environment variable hidden from now on; kept in this process only."""
    _remembered.add(value)


def hide_secrets(text: str) -> str:
    """Return the text with every secret that is known to this process replaced, and user names in URLs too."""
    for value in sorted(_known_secrets(), key=len, reverse=True):
        text = text.replace(value, HIDDEN).replace(quote(value, safe=""), HIDDEN)
    if "://" in text:
        text = USER_WITH_SLASHES.sub(f"{HIDDEN}@", USER.sub(f"{HIDDEN}@", text))
    return text


def has_user(url: str) -> bool:
    """True for a URL with a user name or a password in it."""
    return bool(USER.search(url) or USER_WITH_SLASHES.search(url))


def hides_secrets(function: Callable[P, R]) -> Callable[P, R]:
    """Give a function whose errors, which others will log, tell no secret."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            cleaned = clean_error(error)
            if cleaned is error:
                raise
        raise cleaned

    return guarded


def clean_error(error: Exception) -> Exception:
    """Take the secrets out of an error and all that it stems from, in place: its type and its traceback stay.

    An error whose text does not come from its arguments cannot be cleaned; another with the same text is returned.
    """
    for each in _chain(error):
        _clean(each)
        for name in ("__cause__", "__context__"):
            if (origin := getattr(each, name)) is not None and _tells(origin):
                setattr(each, name, None)
    if not _tells(error):
        return error
    return MobiusError(hide_secrets(f"{type(error).__name__}: {error}")).with_traceback(error.__traceback__)


def _clean(error: BaseException) -> None:
    error.args = tuple(hide_secrets(each) if isinstance(each, str) else each for each in error.args)
    if isinstance(error, OSError):
        for name in ("strerror", "filename", "filename2"):
            if isinstance(text := getattr(error, name), str):
                setattr(error, name, hide_secrets(text))
    if notes := getattr(error, "__notes__", None):
        notes[:] = [hide_secrets(each) for each in notes]


def _tells(error: BaseException) -> bool:
    _clean(error)
    return str(error) != hide_secrets(str(error)) or repr(error.args) != hide_secrets(repr(error.args))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it stems from, each once."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting += [origin for origin in (each.__cause__, each.__context__, *inner) if origin is not None]


def _known_secrets() -> set[str]:
    found = set(_remembered)
    for name, value in os.environ.items():
        if VARIABLE.search(name):
            found.add(value)
        elif "://" in value:
            found.update(match[1] for match in USER_WITH_SLASHES.finditer(value))
    return {value for value in found if len(value) >= SHORTEST_SECRET}

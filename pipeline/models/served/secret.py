"""Secret: the name of an environment variable, or of a stored secret -> an API key, which no text is to show."""

import os

from schemas.errors import UserError
from schemas.hidden import remember_secret

NO_KEY = "none"  # what is sent to a server that wants no key; without it the library takes OPENAI_API_KEY
_provided: dict[str, str] = {}  # by name; never written anywhere
SHORTEST_SECRET = 4  # characters; a shorter value is part of too many innocent words


class Secret:
    """An API key that neither prints nor pickles itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in its process")

    def reveal(self) -> str:
        """Return the key, for the library that sends it."""
        return self._value

    def scrub(self, text: str) -> str:
        """Return a text without the key, should a server have repeated it."""
        if self._value == NO_KEY or len(self._value) < SHORTEST_SECRET:
            return text
        return text.replace(self._value, "***")


def provide_secret(name: str, value: str) -> None:
    """Keep a key that came from a secret store in the memory of this process, for `read_secret` to find."""
    remember_secret(value)
    _provided[name] = value


def read_secret(*, variable: str | None, stored: str | None = None) -> Secret:
    """Return the key in an environment variable, or the one provided under the name it is stored by.

    Raises UserError if it is not there or cannot be sent.
    """
    if variable is None and stored is None:
        return Secret(NO_KEY)
    if stored is not None:
        where, value = f"the secret {stored!r}", _provided.get(stored, "").strip()
        missing = f"api_key_secret = {stored!r}: secrets of Prefect are read by runs of a flow, and none was found here"
    else:
        where, value = f"${variable}", os.environ.get(str(variable), "").strip()
        missing = f"api_key_env = {variable!r}: this environment variable is not set; put the API key into it"
    if not value:
        raise UserError(missing)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UserError(f"the API key in {where} holds blanks, line breaks or letters no header can carry")
    remember_secret(value)
    return Secret(value)

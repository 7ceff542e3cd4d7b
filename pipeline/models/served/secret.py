"""Secret: the name of an environment variable -> the API key in it, which no text is to show."""

import os

from schemas.errors import UserError

NO_KEY = "none"  # what is sent to a server that wants no key; without it the library takes OPENAI_API_KEY
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


def read_secret(variable: str | None) -> Secret:
    """Read the key from an environment variable. Raises UserError if it is not there or cannot be sent."""
    if variable is None:
        return Secret(NO_KEY)
    value = os.environ.get(variable, "").strip()
    if not value:
        raise UserError(f"api_key_env = {variable!r}: this environment variable is not set; put the API key into it")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UserError(f"the API key in ${variable} holds blanks, line breaks or letters no header can carry")
    return Secret(value)

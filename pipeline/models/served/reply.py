"""Reply: the body of a chat completion, or the error of a request -> an outcome."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from pydantic import BaseModel, Field, ValidationError

from pipeline.models.served.errors import AnswerFiltered, AnswerTruncated, RequestRefused, UnusableAnswer
from pipeline.models.served.outcome import Answer, Outcome, Trouble, Whose

MAX_QUOTED_CHARACTERS = 300
MAX_RETRY_AFTER = 120.0  # seconds; a server that is busy for longer is left to whoever retries the task

REFUSED = {400, 413, 414, 422}
MAY_PASS = {408, 409, 425}
OVERLOADED = {502, 503, 504, 529}
REMEDIES = {
    401: "check the API key, where api_key_env or api_key_secret says",
    402: "the account is out of funds",
    403: "the API key may not use this model",
    404: "check that the endpoint ends as the server's base URL does (mostly in /v1), and that `model` is served there",
}


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    """The part of a chat completion that is used here; a server may send more."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_completion(body: bytes, *, url: str) -> Outcome:
    """Read the body of a reply with status 200."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        detail = f"what {url} answers is no chat completion: {place} {first['msg']}: {quote(body)}"
        return Trouble(Whose.UNKNOWN, detail, error=UnusableAnswer, may_pass=True)
    choice, usage = completion.choices[0], completion.usage or _Usage()
    tokens_in, tokens_out = usage.prompt_tokens or 0, usage.completion_tokens or 0
    text = (choice.message.content or "").strip()
    if choice.finish_reason == "content_filter" or (choice.message.refusal and not text):
        detail = f"withheld by the server or its model: {quote(choice.message.refusal or choice.finish_reason or '')}"
        return Trouble(
            Whose.SAMPLE, detail, error=AnswerFiltered, is_reply=True, tokens_in=tokens_in, tokens_out=tokens_out
        )
    if choice.finish_reason == "length":
        detail = f"cut off after {tokens_out or 'max_new_tokens'} tokens: {quote(text)}"
        return Trouble(
            Whose.SAMPLE, detail, error=AnswerTruncated, is_reply=True, tokens_in=tokens_in, tokens_out=tokens_out
        )
    if not text:
        return Trouble(
            Whose.UNKNOWN,
            f"the answer has no text, finish_reason {choice.finish_reason!r}",
            error=UnusableAnswer,
            may_pass=True,
            is_reply=True,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
        )
    return Answer(text, tokens_in, tokens_out)


def read_status(status: int, message: str, headers: Mapping[str, str], *, code: str | None, url: str) -> Trouble:
    """Tell what a reply with another status than 200 means.

    code: the error's code as the body names it, such as `insufficient_quota`.
    """
    said = f"{url} answers {status}: {quote(message)}"
    if status == 429 and code != "insufficient_quota":
        wait = _retry_after(headers)
        may_pass = wait is None or wait <= MAX_RETRY_AFTER
        return Trouble(Whose.MACHINE, said, may_pass=may_pass, is_down=True, retry_after=_bounded(wait))
    if status in REFUSED:
        return Trouble(Whose.SAMPLE, said, error=RequestRefused)
    if status in MAY_PASS or status >= 500:
        wait = _retry_after(headers) if status == 503 else None
        is_down = status in OVERLOADED
        return Trouble(Whose.UNKNOWN, said, may_pass=True, is_down=is_down, retry_after=_bounded(wait))
    remedy = REMEDIES.get(402 if status == 429 else status, "is this the base URL of an OpenAI-compatible server?")
    return Trouble(Whose.PERSON, f"{said}; {remedy}")


def read_connection_error(error: BaseException, *, url: str, seconds: float) -> Trouble:
    """Tell what it means that no reply came, or only part of one."""
    cause = error.__cause__ or error
    is_down = type(cause).__name__.startswith("Connect")  # ConnectError, ConnectTimeout: nobody listens there
    detail = f"{url}: connection failed: {type(cause).__name__}: {quote(str(cause))}"
    if not is_down and (isinstance(error, TimeoutError) or "Timeout" in type(error).__name__):
        detail = f"{url} did not answer within timeout = {seconds:g} s"
    return Trouble(Whose.UNKNOWN, detail, may_pass=True, is_down=is_down)


def quote(said: str | bytes) -> str:
    """Return the beginning of what a server said, on one line."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join(text.split())
    return line if len(line) <= MAX_QUOTED_CHARACTERS else line[: MAX_QUOTED_CHARACTERS - 1] + "…"


def _bounded(wait: float | None) -> float | None:
    return None if wait is None else min(wait, MAX_RETRY_AFTER)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, written as a number or as a date; None if it does not say."""
    said = headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None

"""Config of a served model: where it is, what it is asked, and how patiently."""

import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from schemas.config import StrictConfig

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BLOCK = re.compile(r"[a-z0-9-]+")
HIDDEN = "***"  # takes the place of what is no name before anything can repeat it: it may be the key itself


def _check_endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an endpoint is a base URL such as http://host:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Nothing of the URL is repeated here: it may hold a secret.
        raise ValueError("an endpoint holds no user, password or query; name the key's variable in api_key_env")
    return url.rstrip("/")


def _as_list(endpoints: Any) -> Any:
    return [endpoints] if isinstance(endpoints, str) else endpoints


def _hide_no_variable(name: Any) -> Any:
    return HIDDEN if isinstance(name, str) and VARIABLE.fullmatch(name) is None else name


def _hide_no_block(name: Any) -> Any:
    return HIDDEN if isinstance(name, str) and BLOCK.fullmatch(name) is None else name


def _check_variable(name: str) -> str:
    if name == HIDDEN:
        raise ValueError("expected the name of an environment variable, such as MY_API_KEY, never the key itself")
    return name


def _check_block(name: str) -> str:
    if name == HIDDEN:
        raise ValueError("expected the name of a Secret block, small letters, digits and dashes, never the key itself")
    return name


Endpoint = Annotated[str, AfterValidator(_check_endpoint)]
Endpoints = Annotated[tuple[Endpoint, ...], BeforeValidator(_as_list)]
VariableName = Annotated[str, AfterValidator(_check_variable), BeforeValidator(_hide_no_variable)]
BlockName = Annotated[str, AfterValidator(_check_block), BeforeValidator(_hide_no_block)]


class ServedConfig(StrictConfig):
    """A model behind one or several OpenAI-compatible servers, which all serve the same weights.

    The key itself is never part of the config: `api_key_env` names the environment variable that holds it,
    `api_key_secret` a Secret block of Prefect.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    endpoints: Endpoints = Field(min_length=1)  # base URLs, up to and with /v1; asked in turn
    model: str = Field(min_length=1)  # its name at the server
    revision: str = ""  # of the weights, as far as known: a server does not tell; part of the fingerprint
    prompt: str = Field(min_length=1)
    max_new_tokens: int = Field(128, ge=1)  # tokens; an answer that needs more is refused, not cut
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int | None = 0  # None for a server that refuses the field
    max_in_flight: int = Field(
        16, ge=1
    )  # requests at once by one worker, over all endpoints; batches of many times that keep them busy
    timeout: float = Field(120.0, gt=0)  # seconds per request, from sending to the last byte
    max_retries: int = Field(4, ge=0)  # of one request, beyond the first attempt
    api_key_env: VariableName | None = None  # neither of the two: the server wants no key
    api_key_secret: BlockName | None = None  # a Secret block of Prefect, read by runs where its server is

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        if self.api_key_env is not None and self.api_key_secret is not None:
            raise ValueError("api_key_env and api_key_secret name two keys, expected one")
        return self


class ServedImageCaptionConfig(ServedConfig):
    """How an image is shown and what is asked about it."""

    prompt: str = "Describe this sticker in one sentence. Answer with the sentence only."
    max_side: int = Field(1024, ge=32)  # pixels; a longer side is shrunk to this


class ServedVideoCaptionConfig(ServedConfig):
    """How a clip is shown and what is asked about it."""

    prompt: str = (
        "These are frames of one animated sticker, each with its time. "
        "Describe in one sentence what happens over time. Answer with the sentence only."
    )
    max_side: int = Field(512, ge=32)  # pixels; a longer side is shrunk to this
    num_frames: int = Field(8, ge=1, le=64)  # images per clip at most, spread evenly over time


class ServedSummaryConfig(ServedConfig):
    """What is asked about a sample's captions; `{max_words}` stands for how long an answer may be."""

    prompt: str = (
        "Merge these captions of one animated sticker into one English sentence of at most {max_words} words. "
        "Answer with the sentence only."
    )


class ServedTranslationConfig(ServedConfig):
    """What is asked about a text."""

    prompt: str = "Translate this text into simplified Chinese. Answer with the translation only."

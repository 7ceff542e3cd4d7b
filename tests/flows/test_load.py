"""A setting that is wrong is told by its name, wherever it stands, and no secret with it."""

import pytest

from flows.load import validate_config
from pipeline.config import CurateConfig
from schemas.errors import UserError

KEY = "sk-9f3A-very_secret"
SERVED = ("summary.engine=served", "summary.served.endpoints=http://x/v1")


def told(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        validate_config(CurateConfig, {"root": "r", "source": {"path": "gifs"}}, overrides, name="defaults")
    assert str(caught.value).startswith("defaults: ")
    return str(caught.value).removeprefix("defaults: ")


@pytest.mark.parametrize(
    ("override", "known"),
    [
        *((f"{stage}.hf.modle=m", "model") for stage in ("image_caption", "video_caption", "summary", "translation")),
        *(
            (f"{stage}.served.modle=m", "model")
            for stage in ("image_caption", "video_caption", "summary", "translation")
        ),
        ("clean.lama.weight=w", "weights"),
        ("text.reader.paddleocr.detect=d", "detection"),
        ("engine.flush.nothing=1", "seconds"),
    ],
)
def test_an_unknown_key_is_told_before_the_one_that_lacks_for_it(override: str, known: str) -> None:
    sentence = told(override)
    assert sentence.startswith(f"{override.partition('=')[0]}: unknown key, expected one of ")
    assert known in sentence.partition("expected one of ")[2].split(", ")


def test_a_missing_key_is_told() -> None:
    assert told(*SERVED) == "summary.served.model: missing, it has no default"


@pytest.mark.parametrize("key", ["api_key_env", "api_key_secret"])
@pytest.mark.parametrize("typed", [KEY, f'"{KEY}"', f'["{KEY}"]', f'{{key = "{KEY}"}}'])
def test_a_key_typed_into_the_config_is_not_repeated(key: str, typed: str) -> None:
    sentence = told(*SERVED, "summary.served.model=m", f"summary.served.{key}={typed}")
    assert sentence.startswith(f"summary.served.{key}: ")
    assert KEY not in sentence


def test_one_endpoint_is_a_list_of_one() -> None:
    overrides = (*SERVED, "summary.served.model=m")
    config = validate_config(CurateConfig, {"root": "r", "source": {"path": "gifs"}}, overrides, name="defaults")
    assert config.summary.served is not None
    assert config.summary.served.endpoints == ("http://x/v1",)

"""The API key is sent to the server, and is found nowhere else."""

import logging
import pickle
import traceback

import pytest
from pydantic import ValidationError

from pipeline.models.served import ServedTranslationConfig, ServedTranslator, identify_served_translator
from pipeline.models.served.secret import Secret, provide_secret, read_secret
from schemas.errors import MobiusError, UserError
from tests.models.served.server import Reply, echo, fails, last_line, serving

KEY = "sk-very-secret-4711"


@pytest.fixture
def model_with_key(translator, monkeypatch):
    monkeypatch.setenv("MY_SERVER_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    return lambda url, **settings: translator(url, api_key_env="MY_SERVER_KEY", max_retries=1, **settings)


def test_the_key_is_sent(model_with_key):
    with serving() as server:
        model_with_key(server.url).translate(["a"])
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_without_a_key_of_ours_that_of_openai_goes_nowhere(translator, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving() as server:
        translator(server.url).translate(["a"])
        assert KEY not in str(server.headers)


@pytest.mark.parametrize(
    "reply",
    [
        fails(401, f"Incorrect API key provided: {KEY}."),
        fails(400, f"key {KEY} may not send this"),
        fails(500, f"headers were: Authorization: Bearer {KEY}"),
        Reply(body=f"<html>{KEY}".encode()),
        Reply(body=b'{"choices": []', cut=True),
    ],
    ids=["401", "400", "500", "html", "cut"],
)
def test_the_key_is_in_no_error_and_no_log_even_if_the_server_repeats_it(model_with_key, caplog, reply):
    caplog.set_level(logging.DEBUG)
    with (
        serving(lambda body: reply if last_line(body) in ("poison", "A cat.") else echo(body)) as server,
        pytest.raises(MobiusError) as caught,
    ):
        model_with_key(server.url).translate(["poison"])
    assert KEY not in "".join(traceback.format_exception(caught.value))
    error = caught.value
    while error is not None:
        assert type(error).__module__.startswith(("schemas", "pipeline")), "a library's error holds the request"
        assert KEY not in repr(vars(error)) + str(error)
        error = error.__cause__ or error.__context__
    assert KEY not in caplog.text
    assert caplog.records, "the library logs something at this level"


def test_the_key_is_in_no_name_and_no_config(monkeypatch):
    monkeypatch.setenv("MY_SERVER_KEY", KEY)
    config = ServedTranslationConfig(endpoints=("http://x/v1",), model="m", api_key_env="MY_SERVER_KEY")
    model = ServedTranslator(config)
    assert KEY not in model.identity + identify_served_translator(config) + config.model_dump_json() + repr(config)
    model.close()


def test_a_secret_does_not_print_or_travel():
    assert KEY not in f"{Secret(KEY)} {Secret(KEY)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


def test_a_key_that_is_not_there_is_asked_for_by_name(translator, monkeypatch):
    monkeypatch.delenv("MY_SERVER_KEY", raising=False)
    with pytest.raises(UserError, match="MY_SERVER_KEY"):
        translator("http://x/v1", api_key_env="MY_SERVER_KEY")


def test_a_stored_key_is_found_where_it_was_provided_and_nowhere_else(translator):
    with pytest.raises(UserError, match="api_key_secret = 'shop'"):
        translator("http://x/v1", api_key_secret="shop")
    provide_secret("shop", KEY)
    assert read_secret(variable=None, stored="shop").reveal() == KEY
    assert translator("http://x/v1", api_key_secret="shop") is not None
    with pytest.raises(ValueError, match="two keys"):
        ServedTranslationConfig(endpoints=("http://x/v1",), model="m", api_key_env="A", api_key_secret="b")


@pytest.mark.parametrize("key", [f"{KEY}\nHost: evil", f"{KEY} x", f"{KEY}é"])
def test_a_key_no_header_can_carry_is_refused_without_showing_it(translator, monkeypatch, key):
    monkeypatch.setenv("MY_SERVER_KEY", key)
    with pytest.raises(UserError) as caught:
        translator("http://x/v1", api_key_env="MY_SERVER_KEY")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", [f"http://me:{KEY}@x/v1", f"http://x/v1?key={KEY}"])
def test_an_address_with_a_secret_in_it_is_refused(url):
    with pytest.raises(ValueError, match="api_key_env"):
        ServedTranslationConfig(endpoints=(url,), model="m")


@pytest.mark.parametrize("key", ["api_key_env", "api_key_secret"])
@pytest.mark.parametrize("typed", [f"{KEY}_A", "sk-Proj/9.1", "Bearer abc", "", "***"])
def test_a_key_typed_where_its_name_belongs_is_repeated_nowhere(key, typed):
    with pytest.raises(ValidationError, match=f"{key}\n.*expected the name of") as caught:
        ServedTranslationConfig(endpoints=("http://x/v1",), model="m", **{key: typed})
    for text in (str(caught.value), repr(caught.value.errors())):
        assert typed in ("", "***") or typed not in text


def test_names_of_keys_are_taken_as_they_are():
    for settings in ({"api_key_env": "_MY_key1"}, {"api_key_secret": "my-key-1"}, {"api_key_env": None}):
        config = ServedTranslationConfig(endpoints=("http://x/v1",), model="m", **settings)
        assert settings.items() <= config.model_dump().items()


def test_one_endpoint_needs_no_list():
    config = ServedTranslationConfig.model_validate({"endpoints": "http://x/v1/", "model": "m"})
    assert config.endpoints == ("http://x/v1",)

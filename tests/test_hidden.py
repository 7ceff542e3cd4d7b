"""What is kept or shown tells no secret, whichever way it came into the text; everything else stays."""

import json
import traceback

import pytest

from schemas.errors import MachineFault, MobiusError
from schemas.hidden import clean_error, has_user, hide_secrets, hides_secrets, remember_secret

KEY = "planted/secret+0815"


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("DATABASE_URL", "postgresql://mobius:pass-0816@db/prefect")


class Quoting(Exception):
    """An error of a library, whose text comes from elsewhere than its arguments."""

    def __init__(self, told: str) -> None:
        super().__init__()
        self.told = told

    def __str__(self) -> str:
        return f"quoting {self.told}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {KEY}!", "key ***!"),
        ("key planted%2Fsecret%2B0815", "key ***"),
        ("s3://AKIA:abc/d+e@bucket/x", "s3://***@bucket/x"),
        ("https://me@host/x and http://a:b@c", "https://***@host/x and http://***@c"),
        ("password pass-0816 of the database", "password *** of the database"),
        ("http://host:8000/v1", "http://host:8000/v1"),
        ("s3://bucket/me@home/x", "s3://bucket/me@home/x"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_secrets_are_replaced_and_all_else_stays(text: str, expected: str) -> None:
    assert hide_secrets(text) == expected


@pytest.mark.parametrize("url", ["s3://a:b@c/d", "s3://AKIA:x/y@c/d", "https://token@c"])
def test_a_url_with_a_user_is_told(url: str) -> None:
    assert has_user(url)


@pytest.mark.parametrize("url", ["s3://bucket/a@b", "http://host:80/a", "/home/me@work/x", "file:///a:b@c/d"])
def test_a_place_without_a_user_is_told(url: str) -> None:
    assert not has_user(url)


def test_what_was_remembered_is_hidden_without_a_variable() -> None:
    assert "0817" in hide_secrets("remembered-0817")
    remember_secret("remembered-0817")
    assert hide_secrets("remembered-0817") == "***"


@pytest.mark.parametrize("name", ["PATH", "TOKENIZERS_PARALLELISM", "SSH_AUTH_SOCK", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_variables_that_hold_no_secret_hide_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "a-word-of-its-own")
    assert hide_secrets("a-word-of-its-own") == "a-word-of-its-own"


def test_an_error_keeps_its_type_and_its_place_and_loses_the_secret() -> None:
    def fail() -> None:
        try:
            raise OSError(5, f"reading {KEY}", f"/{KEY}")
        except OSError as error:
            raise MachineFault(f"disk of {KEY}") from error

    with pytest.raises(MachineFault, match=r"disk of \*\*\*") as caught:
        hides_secrets(fail)()
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told
    assert "OSError: [Errno 5] reading ***" in told
    assert "in fail" in told


def test_an_error_that_cannot_be_cleaned_is_replaced_by_what_it_said() -> None:
    cleaned = clean_error(Quoting(KEY))
    assert type(cleaned) is MobiusError
    assert str(cleaned) == "Quoting: quoting ***"


def test_an_origin_that_cannot_be_cleaned_is_left_out() -> None:
    error = ValueError("outer")
    error.__cause__ = Quoting(KEY)
    assert clean_error(error) is error
    assert KEY not in "".join(traceback.format_exception(error))


def test_errors_in_a_group_are_cleaned() -> None:
    group = ExceptionGroup("several", [ValueError(KEY), KeyError(KEY)])
    assert KEY not in "".join(traceback.format_exception(clean_error(group)))


def test_json_for_programs_is_plain_and_the_same_value(capsys: pytest.CaptureFixture[str]) -> None:
    from flows.printable import print_json

    value = {"a\x1b": ["\x9b31m", "\u202e", "\u2028", "\U000e0041", "开心 😀", "line\nline", "\ud800"]}
    print_json(value)
    text = capsys.readouterr().out
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert json.loads(text) == value
    assert "开心 😀" in text

"""A location is a path or an object path, read from what a person wrote; no secret in it is repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from schemas.location import ObjectPath, lies_inside, parse_location

letters = st.characters(exclude_characters="/@:", exclude_categories=["Cs", "Cc"])
names = st.text(letters, min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))


@given(st.sampled_from(["s3", "gs"]), st.lists(names, min_size=1, max_size=4))
def test_what_is_written_is_read_and_what_is_read_is_written(protocol: str, parts: list[str]) -> None:
    location = parse_location(f"{protocol}://{'/'.join(parts)}")
    assert location == ObjectPath(protocol, "/".join(parts))
    assert parse_location(str(location)) == location
    assert parse_location(f"{protocol.upper()}://{'/'.join(parts)}/") == location


@given(st.lists(names, min_size=2, max_size=4), names)
def test_an_object_path_is_taken_apart_as_a_path_is(parts: list[str], name: str) -> None:
    location = ObjectPath("s3", "/".join(parts))
    assert location.name == parts[-1]
    assert location.parent / location.name == location
    assert location.with_name(name) == location.parent / name
    assert lies_inside(location / name, location)
    assert not lies_inside(location, location / name)
    assert not lies_inside(ObjectPath("s3", location.key + "x"), location)


@given(st.text(max_size=12))
def test_anything_else_is_a_path_or_a_user_error(text: str) -> None:
    try:
        location = parse_location(text)
    except UserError:
        assert "://" in text
    else:
        assert isinstance(location, ObjectPath | Path)


def test_a_file_url_is_a_path() -> None:
    assert parse_location("file:///data/cats") == Path("/data/cats")
    assert parse_location("/data/cats") == Path("/data/cats")
    assert parse_location("cats") == Path("cats")


@pytest.mark.parametrize(
    "text",
    ["s3://", "s3:///a", "gs://b//c", "s3://b/../c", "s3://b/./c", "http://host/a", "file://host/a", "az://b/a"],
)
def test_what_is_no_location_is_told_with_the_key_it_stands_in(text: str) -> None:
    with pytest.raises(UserError, match=r"source\.path = .*expected"):
        parse_location(text, key="source.path")


@pytest.mark.parametrize("text", ["s3://key:pa55word@bucket/a", "https://me:pa55word@host/a", "s3://bucket:pa55word/a"])
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_location(text)
    assert "pa55word" not in str(caught.value)

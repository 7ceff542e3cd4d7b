"""Positions and ordinals: what keys are made from."""

import string

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.positions import Mentions, leads_outside, member_position, tidy_path, top_folder
from pipeline.sources.readable import readable, readable_label


@given(st.lists(st.sampled_from([bytes([byte]) * 3 for byte in string.ascii_lowercase.encode()]), max_size=60))
def test_ordinals_count_the_mentions_of_each_position(positions: list[bytes]) -> None:
    mentions = Mentions()
    assert [mentions.count(each) for each in positions] == [
        positions[:place].count(each) for place, each in enumerate(positions)
    ]


def test_ordinals_survive_the_growth_of_their_table() -> None:
    mentions = Mentions()
    positions = [b"%d" % number for number in range(5000)]
    assert {mentions.count(each) for each in positions} == {0}
    assert {mentions.count(each) for each in positions} == {1}


@given(
    st.text("a!%#", max_size=5),
    st.text("a!%#", max_size=5),
    st.text("a!%#", max_size=5),
    st.text("a!%#", max_size=5),
)
def test_no_two_members_share_a_position(archive: str, member: str, other_archive: str, other_member: str) -> None:
    one, two = (archive.encode(), member.encode()), (other_archive.encode(), other_member.encode())
    assert (member_position(*one) == member_position(*two)) == (one == two)


def test_dots_and_double_slashes_do_not_make_another_position() -> None:
    assert tidy_path(b"./a//b/./c.gif") == tidy_path(b"a/b/c.gif") == b"a/b/c.gif"
    assert tidy_path(b"//etc/./passwd") == b"/etc/passwd"
    assert tidy_path(b"../a") == b"../a"


def test_absolute_and_climbing_paths_lead_outside_and_dots_in_names_do_not() -> None:
    assert all(map(leads_outside, [b"/a", b"..", b"../a", b"a/../b", b"a/.."]))
    assert not any(map(leads_outside, [b"a", b"..a", b"a..", b"a/...", b"a..b/c"]))


def test_only_a_path_with_a_folder_has_a_top_folder() -> None:
    assert [top_folder(path) for path in (b"a/b/c", b"a/b", b"a")] == [b"a", b"a", None]


@given(st.binary())
def test_readable_bytes_are_utf_8_without_nul_and_text_stays_itself(data: bytes) -> None:
    text = readable(data)
    assert "\0" not in text
    text.encode()
    if b"\0" not in data and "\\" not in text:
        assert text.encode() == data


def test_what_is_no_text_is_escaped_and_an_empty_label_is_none() -> None:
    assert readable(b"caf\xe9") == "caf\\xe9"
    assert readable("a\ud800b\0c") == "a\\ud800b\\x00c"
    assert readable_label("") is None
    assert readable_label(" happy ") == " happy "

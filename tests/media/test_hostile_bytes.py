"""Whatever the bytes are, a probe ends with an answer or with a named reason: no crash, no hang."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.media.limits import LimitsConfig
from pipeline.stages.probe import probe_media
from schemas.errors import SampleError
from tests.conftest import CORPUS
from tests.media.gifs import BLUE, GREEN, RED, encode_gif

LIMITS = LimitsConfig(max_decoded_pixels=1 << 22, max_canvas_pixels=1 << 20, max_decode_seconds=2)

Mutation = tuple[str, float, bytes]


@cache
def real_gifs() -> tuple[bytes, ...]:
    """Small real files where the corpus is present, made ones elsewhere."""
    paths = sorted((CORPUS / "sample").glob("*/*.gif"), key=lambda path: (path.stat().st_size, path.name))
    real = [path.read_bytes() for path in paths[:60]]
    odd = [path.read_bytes() for path in sorted((CORPUS / "hostile" / "pillow").glob("*.gif"))]
    return tuple(real + [media for media in odd if 0 < len(media) < 20_000] or [encode_gif([RED, GREEN, BLUE])])


@st.composite
def mutated_gifs(draw: st.DrawFn) -> bytes:
    media = bytearray(draw(st.sampled_from(real_gifs())))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(len(media) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "repeat", "zero"]))
        if kind == "flip" and media:
            media[place] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del media[place : place + draw(st.integers(1, 300))]
        elif kind == "insert":
            media[place:place] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "repeat":
            media[place:place] = media[place : place + draw(st.integers(1, 300))]
        elif kind == "zero":
            length = min(draw(st.integers(1, 64)), len(media) - place)
            media[place : place + length] = bytes(length)
    return bytes(media)


@settings(max_examples=2000, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated_gifs())
def test_2000_mutated_real_gifs_are_answered_or_refused_by_name(media: bytes) -> None:
    try:
        answer = probe_media(media, limits=LIMITS)
    except SampleError as error:
        assert type(error).reason != SampleError.reason, "every refusal has a reason of its own"
        assert str(error)
        return
    assert answer.num_frames == len(answer.delays_ms) == sum(answer.run_lengths)
    assert answer.num_distinct_frames == len(answer.run_lengths) >= 1
    assert 0 <= answer.motion_score <= 1


def test_every_truncation_of_an_animation_ends(corpus_hostile: Path) -> None:
    media = (corpus_hostile / "image-gif" / "anim-gr.gif").read_bytes()
    whole = probe_media(media, limits=LIMITS)
    assert whole.num_frames == 2
    for end in range(0, len(media), 7):
        try:
            assert probe_media(media[:end], limits=LIMITS).num_frames <= 2
        except SampleError as error:
            assert error.reason in {"unknown_format", "corrupt", "no_frames"}


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBP", b"\xff\xd8\xff", b"\0\0\0\x18ftypmp42"]
)
@given(tail=st.binary(max_size=400))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_random_bytes_after_a_magic_are_refused(head: bytes, tail: bytes) -> None:
    with pytest.raises(SampleError):
        probe_media(head + tail, limits=LIMITS)

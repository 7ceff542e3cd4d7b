"""The grammar of `describe`: facts -> English -> the same facts -> Chinese, and nothing else gets through."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.models.describe.facts import (
    Amount,
    Blink,
    Caption,
    Color,
    Format,
    Hues,
    Length,
    Loop,
    Motion,
    Outline,
    Path,
    Picture,
    Place,
    Pulse,
    Rate,
    Scene,
    Size,
    Still,
    Stir,
    Subject,
    Travel,
    Turn,
)
from pipeline.models.describe.grammar import render_english
from pipeline.models.describe.labels import MAX_LABEL_CHARACTERS, shorten_label
from pipeline.models.describe.reading import read_english
from pipeline.models.grammar_zh import GrammarTranslator, render_chinese
from schemas.errors import RefusedText

NAMED_COLORS = [color for color in Color if color is not Color.CLEAR]
HOSTILE_LABELS = [
    '"',
    '\\"',
    "\\",
    'x". Nothing moves.',
    'x": a round red figure, centered, on a white background.',
    "“”‘’「」",
    "(a) [b] {c} \\u{41}",
    "line\nbreak\r\ttab\u2028\x00\x1b[31m",
    "\ud800 lone surrogate",
    "哈哈哈，笑死“我”了。",
    "👨‍👩‍👧‍👦 family",
    "\u202eright to left",
    "e\u0301 é",
    "x" * 1_000_000,
    "笑" * 1_000_000,
    '"' * 1_000_000,
]


def nullable(values):
    return st.none() | values


labels = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE_LABELS)).map(shorten_label).map(lambda x: x or None)
colors = st.sampled_from(NAMED_COLORS)
palettes = st.lists(colors, max_size=3, unique=True).map(tuple)
places = nullable(st.sampled_from(Place))


@st.composite
def pictures(draw):
    scene = draw(nullable(st.sampled_from(Scene)))
    has_figure = scene in (Scene.FIGURE, Scene.GROUP)
    backgrounds = st.sampled_from(Color)
    return Picture(
        label=draw(labels),
        size=draw(nullable(st.sampled_from(Size))),
        format=draw(nullable(st.sampled_from(Format))),
        scene=scene,
        outline=draw(nullable(st.sampled_from(Outline))) if scene is Scene.FIGURE else None,
        colors=draw(palettes) if has_figure or scene is Scene.SCENE else (),
        place=draw(places) if has_figure else None,
        background=draw(backgrounds if scene is Scene.EMPTY else nullable(backgrounds))
        if has_figure or scene is Scene.EMPTY
        else None,
    )


@st.composite
def motions(draw):
    path = draw(nullable(st.sampled_from(Path)))
    amount = draw(nullable(st.sampled_from(Amount))) if path and path.is_way else None
    travel = Travel(path, amount) if path else None
    pulse = draw(nullable(st.sampled_from(Pulse)))
    turn = draw(nullable(st.builds(Turn, nullable(st.sampled_from(range(10, 360, 10))))))
    blink = draw(nullable(st.sampled_from(Blink)))
    two_hues = st.lists(colors, min_size=2, max_size=2, unique=True).map(lambda pair: Hues(*pair))
    rates = st.builds(Rate, st.integers(1, 10**6), st.just(1)) | st.builds(Rate, st.just(1), st.integers(1, 10**6))
    is_rhythmic = any((travel is not None and path is not Path.NONE, pulse, turn, blink))
    stir_places = nullable(st.sampled_from([place for place in Place if place is not Place.FULL]))
    return Motion(
        subject=draw(st.sampled_from(Subject)),
        travel=travel,
        pulse=pulse,
        turn=turn,
        blink=blink,
        hues=draw(nullable(st.just(Hues()) | two_hues)),
        rate=draw(nullable(rates)) if is_rhythmic else None,
        stir=draw(nullable(st.builds(Stir, st.sampled_from(Amount), stir_places))),
        loop=draw(nullable(st.sampled_from(Loop))),
        length=draw(nullable(st.builds(Length, st.integers(2, 10**6), st.integers(0, 10**9)))),
    )


captions = st.one_of(
    st.builds(Caption, pictures(), nullable(motions() | st.just(Still()))),
    st.builds(Caption, st.none(), motions() | st.just(Still())),
)


@given(captions)
def test_every_structure_is_read_back_from_its_english_unchanged(caption):
    text = render_english(caption)
    assert read_english(text) == caption
    assert len(text.splitlines()) == 1


@given(captions)
def test_the_translation_has_no_latin_letter_outside_the_quoted_label(caption):
    (chinese,) = GrammarTranslator().translate([render_english(caption)])
    label = caption.picture.label if caption.picture else None
    unquoted = re.sub(r"“(?:[^”\\]|\\.)*”", "“”", chinese, count=1)
    assert not re.search("[A-Za-z]", unquoted), chinese
    assert ("“" in unquoted) == (label is not None)
    assert len(chinese.splitlines()) == 1


@given(captions, captions)
def test_different_structures_never_share_a_translation(one, other):
    assert (render_chinese(one) == render_chinese(other)) == (one == other)


@pytest.mark.parametrize("label", HOSTILE_LABELS, ids=range(len(HOSTILE_LABELS)))
def test_a_hostile_label_neither_breaks_out_of_its_quotes_nor_gets_long(label):
    short = shorten_label(label)
    text = render_english(Caption(Picture(label=short), Still()))
    assert read_english(text) == Caption(Picture(label=short), Still())
    assert len(short) <= MAX_LABEL_CHARACTERS
    assert text.startswith('A sticker tagged "')
    assert text.endswith('". Nothing moves.')
    text.encode()  # no half of a surrogate pair is left


@given(st.text(max_size=200))
def test_shortening_a_label_twice_changes_nothing(label):
    short = shorten_label(label)
    assert shorten_label(short) == short
    assert len(short) <= MAX_LABEL_CHARACTERS


def test_a_label_that_fits_is_carried_over_unchanged():
    text = render_english(Caption(Picture(label='笑 "lol" [x]')))
    assert text == 'A sticker tagged "笑 \\"lol\\" [x]".'
    assert GrammarTranslator().translate([text]) == ['贴图“笑 "lol" [x]”。']


@given(st.text(max_size=100))
@example("")
@example(" ")
@example("A cat waves its paw.")
@example('A sticker tagged "x')
@example("A sticker.\n")
@example(" A sticker.")
@example("A sticker. A sticker.")
@example("Nothing moves. A sticker.")
@example("a sticker.")
@example("An sticker.")
@example("A sticker: a orange figure.")
@example('A sticker tagged "\\x".')
@example('A sticker tagged "\\u{ffffff}".')
@example("The picture changes, with changes over a tenth of the canvas, mostly filling the canvas.")
@example("The figure stays in place about twice a second.")
@example("The figure moves up by half of the width.")
@example("The figure moves up; 03 pictures in 1.0 seconds.")
@example("The figure moves up; ３ pictures in 1.0 seconds.")
def test_what_is_outside_the_grammar_is_refused(text):
    with pytest.raises(RefusedText, match="not a sentence of the describe grammar"):
        GrammarTranslator().translate([text])


def test_one_letter_more_is_refused_and_named():
    with pytest.raises(RefusedText) as refused:
        GrammarTranslator().translate(["A sticker.", "A stickers."])
    assert "'A stickers.'" in str(refused.value)


def test_a_refused_megabyte_is_named_by_its_first_80_characters():
    with pytest.raises(RefusedText) as refused:
        GrammarTranslator().translate(["z" * 1_000_000])
    assert "z" * 79 + "…" in str(refused.value)
    assert "z" * 80 not in str(refused.value)


@given(captions, st.data())
def test_a_text_with_one_character_changed_is_never_half_translated(caption, data):
    text = render_english(caption)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    found = read_english(changed)
    assert found is None or render_english(found) == changed


def test_a_whole_caption_reads_naturally_in_both_languages():
    caption = Caption(
        Picture(
            label="laugh",
            size=Size.SMALL,
            format=Format.SQUARE,
            scene=Scene.FIGURE,
            outline=Outline.ROUND,
            colors=(Color.YELLOW, Color.BLACK, Color.RED),
            place=Place.CENTER,
            background=Color.CLEAR,
        ),
        Motion(
            subject=Subject.IT,
            travel=Travel(Path.UP_DOWN, Amount.FIFTH),
            rate=Rate(2, 1),
            hues=Hues(),
            loop=Loop.SMOOTH,
            length=Length(12, 12),
        ),
    )
    text = render_english(caption)
    assert text == (
        'A small square sticker tagged "laugh": a round yellow figure with black and red, centered,'
        " on a transparent background. It moves up and down by a fifth of the height about twice a second"
        " and cycles through several colors, looping smoothly; 12 pictures in 1.2 seconds."
    )
    assert GrammarTranslator().translate([text]) == [
        "小号方形贴图“laugh”：黄色圆形图案，带黑色和红色，居中，透明背景。"
        "它上下移动约五分之一高度，每秒约两次，循环变换多种颜色，循环流畅；12帧，1.2秒。"
    ]

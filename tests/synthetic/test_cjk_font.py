"""The font: Chinese letters come out as themselves, and its absence is one clear sentence."""

import subprocess
import sys

import pytest
from PIL import ImageFont

from pipeline.synthetic import cjk_font
from pipeline.synthetic.phrases import PHRASES
from schemas.errors import UserError

NO_SUCH_LETTER = "\U000f1234"


def drawn(font: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def test_two_chinese_letters_look_different() -> None:
    assert drawn(cjk_font(32), "好") != drawn(cjk_font(32), "困")


def test_no_letter_of_any_phrase_is_an_empty_box() -> None:
    font = cjk_font(32)
    box = drawn(font, NO_SUCH_LETTER)
    phrases = [text for by_language in PHRASES.values() for texts in by_language.values() for text in texts]
    letters = set("".join(phrases)) - {" "}
    assert len(letters) > 100
    assert [letter for letter in sorted(letters) if drawn(font, letter) == box] == []


def test_sizes_are_in_pixels() -> None:
    assert cjk_font(48).getlength("好好") == pytest.approx(96, abs=1)


def test_finding_the_font_imports_neither_its_package_nor_matplotlib() -> None:
    code = "import sys; from pipeline.synthetic import cjk_font; cjk_font(20); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"mplfonts", "matplotlib"} & set(result.stdout.split())


def test_without_the_package_the_error_names_it_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mplfonts", None)
    cjk_font.cache_clear()
    with pytest.raises(UserError, match=r"mplfonts.*pip install 'mobius\[demo\]'"):
        cjk_font(20)

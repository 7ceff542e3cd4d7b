"""Translate: English of `describe`'s grammar -> the same in simplified Chinese; others are refused."""

from collections.abc import Sequence

from pipeline.models.describe.facts import (
    Amount,
    Caption,
    Color,
    Hues,
    Length,
    Motion,
    Picture,
    Rate,
    Scene,
    Still,
    Stir,
    Travel,
    Turn,
)
from pipeline.models.describe.grammar import rated_clause
from pipeline.models.describe.labels import CHINESE_QUOTES, quote_label
from pipeline.models.describe.phrases import (
    AMOUNTS,
    BLINKS,
    COLORS,
    FORMATS,
    LOOPS,
    OUTLINES,
    PATHS,
    PLACELESS_PATHS,
    PLACES,
    PULSES,
    SCENES,
    SHARES,
    SIZES,
    STIR_PLACES,
    SUBJECTS,
    VERTICAL_PATHS,
)
from pipeline.models.describe.reading import read_english
from schemas.errors import RefusedText

MAX_QUOTED_CHARACTERS = 80


class GrammarTranslator:
    """A Translator for the embedded captioner's own texts: exact, or an error."""

    identity = "embedded/grammar-zh-1"

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return each text in Chinese, its label between “ ”. Raises RefusedText for a text not ours."""
        return [render_chinese(_read(text)) for text in texts]


def _read(text: str) -> Caption:
    caption = read_english(text)
    if caption is None:
        is_long = len(text) > MAX_QUOTED_CHARACTERS
        shown = text[: MAX_QUOTED_CHARACTERS - 1] + "…" if is_long else text
        raise RefusedText(f"not a sentence of the describe grammar: {shown!r}")
    return caption


def render_chinese(caption: Caption) -> str:
    """Return one line; different facts never give the same text."""
    picture = _picture(caption.picture) if caption.picture is not None else ""
    motion = ""
    if isinstance(caption.motion, Motion):
        motion = _motion(caption.motion)
    if isinstance(caption.motion, Still):
        motion = "画面静止不动。"
    return picture + motion


def _picture(picture: Picture) -> str:
    size = SIZES[picture.size].zh if picture.size else ""
    shape = FORMATS[picture.format].zh if picture.format else ""
    text = f"{size}{shape}贴图"
    if picture.label is not None:
        text += quote_label(picture.label, CHINESE_QUOTES)
    if picture.scene is not None:
        text += "：" + _scene(picture.scene, picture)
    if picture.place is not None:
        text += f"，{PLACES[picture.place].zh}"
    if picture.background is not None and picture.scene is not Scene.EMPTY:
        text += f"，{COLORS[picture.background].zh}背景"
    return text + "。"


def _scene(scene: Scene, picture: Picture) -> str:
    if scene is Scene.EMPTY:
        return f"只有{_color(picture.background)}背景"
    first, *others = [COLORS[color].zh for color in picture.colors] or [""]
    several = "多个" if scene is Scene.GROUP else ""
    outline = OUTLINES[picture.outline].zh if picture.outline else ""
    text = f"{several}{first}{outline}{SCENES[scene].zh}"
    return f"{text}，带{'和'.join(others)}" if others else text


def _motion(motion: Motion) -> str:
    clauses = _clauses(motion) or ["有变化"]
    clauses[0] = SUBJECTS[motion.subject].zh + clauses[0]
    if motion.rate is not None:
        clauses.insert(rated_clause(motion) + 1, _rate(motion.rate))
    if motion.stir is not None:
        clauses.append(_stir(motion.stir))
    if motion.loop is not None:
        clauses.append(LOOPS[motion.loop].zh)
    text = "，".join(clauses)
    return f"{text}；{_length(motion.length)}。" if motion.length is not None else f"{text}。"


def _clauses(motion: Motion) -> list[str]:
    clauses = []
    if motion.travel is not None:
        clauses.append(_travel(motion.travel))
    if motion.pulse is not None:
        clauses.append(PULSES[motion.pulse].zh)
    if motion.turn is not None:
        clauses.append(_turn(motion.turn))
    if motion.blink is not None:
        clauses.append(BLINKS[motion.blink].zh)
    if motion.hues is not None:
        clauses.append(_hues(motion.hues))
    return clauses


def _travel(travel: Travel) -> str:
    if not travel.path.is_way:
        return PLACELESS_PATHS[travel.path].zh
    path = PATHS[travel.path].zh
    if travel.amount is None:
        return f"{path}移动"
    if travel.amount is Amount.SLIGHT:
        return f"{path}{AMOUNTS[travel.amount].zh}移动"
    side = "高度" if travel.path in VERTICAL_PATHS else "宽度"
    return f"{path}移动约{AMOUNTS[travel.amount].zh}{side}"


def _turn(turn: Turn) -> str:
    return "整圈旋转" if turn.degrees is None else f"倾斜摆动{turn.degrees}度"


def _hues(hues: Hues) -> str:
    if hues.first is None:
        return "循环变换多种颜色"
    return f"在{_color(hues.first)}和{_color(hues.second)}间变色"


def _rate(rate: Rate) -> str:
    if rate.seconds > 1:
        return f"约每{rate.seconds}秒一次"
    times = {1: "一", 2: "两"}.get(rate.times, str(rate.times))
    return f"每秒约{times}次"


def _stir(stir: Stir) -> str:
    share = f"变动约占画面{SHARES[stir.share].zh}"
    return share if stir.place is None else f"{share}，多在{STIR_PLACES[stir.place].zh}"


def _length(length: Length) -> str:
    return f"{length.num_pictures}帧，{length.tenths // 10}.{length.tenths % 10}秒"


def _color(color: Color | None) -> str:
    assert color is not None
    return COLORS[color].zh

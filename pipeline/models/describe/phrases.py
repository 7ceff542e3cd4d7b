"""Phrases: each fact that is one choice among several, in both languages."""

from enum import Enum
from typing import NamedTuple, TypeVar

from pipeline.models.describe.facts import (
    Amount,
    Blink,
    Color,
    Format,
    Loop,
    Outline,
    Path,
    Place,
    Pulse,
    Scene,
    Size,
    Subject,
)

Choice = TypeVar("Choice", bound=Enum)


class Phrase(NamedTuple):
    """One thing in English (American spelling, as caption models write) and in simplified Chinese."""

    en: str
    zh: str


SIZES = {
    Size.TINY: Phrase("tiny", "微型"),
    Size.SMALL: Phrase("small", "小号"),
    Size.MEDIUM: Phrase("medium", "中号"),
    Size.LARGE: Phrase("large", "大号"),
}
FORMATS = {
    Format.SQUARE: Phrase("square", "方形"),
    Format.WIDE: Phrase("wide", "横幅"),
    Format.TALL: Phrase("tall", "竖幅"),
}
COLORS = {
    Color.BLACK: Phrase("black", "黑色"),
    Color.WHITE: Phrase("white", "白色"),
    Color.GRAY: Phrase("gray", "灰色"),
    Color.RED: Phrase("red", "红色"),
    Color.ORANGE: Phrase("orange", "橙色"),
    Color.YELLOW: Phrase("yellow", "黄色"),
    Color.GREEN: Phrase("green", "绿色"),
    Color.TURQUOISE: Phrase("turquoise", "青色"),
    Color.BLUE: Phrase("blue", "蓝色"),
    Color.PURPLE: Phrase("purple", "紫色"),
    Color.PINK: Phrase("pink", "粉色"),
    Color.BROWN: Phrase("brown", "棕色"),
    Color.BEIGE: Phrase("beige", "米色"),
    Color.CLEAR: Phrase("transparent", "透明"),
}
SCENES = {
    Scene.FIGURE: Phrase("figure", "图案"),
    Scene.GROUP: Phrase("shapes", "图形"),
    Scene.SCENE: Phrase("scene", "画面"),
    Scene.EMPTY: Phrase("background", "背景"),
}
OUTLINES = {
    Outline.ROUND: Phrase("round", "圆形"),
    Outline.SQUARE: Phrase("square", "方块"),
    Outline.WIDE: Phrase("wide", "扁长"),
    Outline.TALL: Phrase("tall", "瘦高"),
}
PLACES = {
    Place.FULL: Phrase("filling the canvas", "撑满画布"),
    Place.CENTER: Phrase("centered", "居中"),
    Place.LEFT: Phrase("at the left", "靠左"),
    Place.RIGHT: Phrase("at the right", "靠右"),
    Place.TOP: Phrase("at the top", "靠上"),
    Place.BOTTOM: Phrase("at the bottom", "靠下"),
    Place.TOP_LEFT: Phrase("at the top left", "在左上"),
    Place.TOP_RIGHT: Phrase("at the top right", "在右上"),
    Place.BOTTOM_LEFT: Phrase("at the bottom left", "在左下"),
    Place.BOTTOM_RIGHT: Phrase("at the bottom right", "在右下"),
}
STIR_PLACES = {
    Place.CENTER: Phrase("in the center", "中间"),
    **{
        place: Phrase(PLACES[place].en, zh)
        for place, zh in {
            Place.LEFT: "左边",
            Place.RIGHT: "右边",
            Place.TOP: "上边",
            Place.BOTTOM: "下边",
            Place.TOP_LEFT: "左上",
            Place.TOP_RIGHT: "右上",
            Place.BOTTOM_LEFT: "左下",
            Place.BOTTOM_RIGHT: "右下",
        }.items()
    },
}
SUBJECTS = {
    Subject.FIGURE: Phrase("The figure", "图案"),
    Subject.GROUP: Phrase("The group", "各图形"),
    Subject.PICTURE: Phrase("The picture", "画面"),
    Subject.IT: Phrase("It", "它"),
}
PATHS = {
    Path.LEFT_RIGHT: Phrase("left and right", "左右"),
    Path.UP_DOWN: Phrase("up and down", "上下"),
    Path.DIAGONAL: Phrase("diagonally", "斜向"),
    Path.CIRCLE: Phrase("in a circle", "绕圈"),
    Path.TO_LEFT: Phrase("to the left", "向左"),
    Path.TO_RIGHT: Phrase("to the right", "向右"),
    Path.UPWARD: Phrase("up", "向上"),
    Path.DOWNWARD: Phrase("down", "向下"),
}
PLACELESS_PATHS = {
    Path.RESHAPE: Phrase("changes shape", "改变形状"),
    Path.NONE: Phrase("stays in place", "位置不变"),
}
VERTICAL_PATHS = (Path.UP_DOWN, Path.UPWARD, Path.DOWNWARD)
AMOUNTS = {
    Amount.SLIGHT: Phrase("slightly", "轻微"),
    Amount.TENTH: Phrase("a tenth", "十分之一"),
    Amount.FIFTH: Phrase("a fifth", "五分之一"),
    Amount.QUARTER: Phrase("a quarter", "四分之一"),
    Amount.THIRD: Phrase("a third", "三分之一"),
    Amount.HALF: Phrase("half", "一半"),
    Amount.MOST: Phrase("most", "大半"),
}
SHARES = AMOUNTS | {Amount.SLIGHT: Phrase("a small part", "一小部分")}
PULSES = {
    Pulse.GROWS: Phrase("grows", "逐渐变大"),
    Pulse.SHRINKS: Phrase("shrinks", "逐渐变小"),
    Pulse.BOTH: Phrase("grows and shrinks", "忽大忽小"),
}
BLINKS = {
    Blink.APPEARS: Phrase("appears", "逐渐出现"),
    Blink.VANISHES: Phrase("disappears", "逐渐消失"),
    Blink.BOTH: Phrase("appears and disappears", "时隐时现"),
    Blink.BRIGHTNESS: Phrase("gets brighter and darker", "忽明忽暗"),
}
LOOPS = {
    Loop.SMOOTH: Phrase("looping smoothly", "循环流畅"),
    Loop.JUMP: Phrase("jumping back at the end", "结尾跳回开头"),
}


def english_index(phrases: dict[Choice, Phrase]) -> dict[str, Choice]:
    """Return the table read backwards: English phrase -> choice."""
    return {phrase.en: choice for choice, phrase in phrases.items()}

"""Shortening: facts of a caption too long for the text encoder -> the most telling of them that fit.

What comes first teaches a model to draw and to move; what comes last (size of the canvas, count of
pictures) it sees anyway.
"""

from collections.abc import Callable
from dataclasses import replace

from pipeline.models.describe.facts import Caption, Motion, Picture, Scene, Still, Subject, Travel


def shorten(full: Caption, fits: Callable[[Caption], bool]) -> Caption:
    """Start from what cannot be left out and add each fact that still fits, the most telling first."""
    said = Caption(full.picture and Picture(), _least_motion(full))
    for add in _STEPS:
        longer = add(said, full)
        if fits(longer):
            said = longer
    return said


def _least_motion(full: Caption) -> Motion | Still | None:
    if not isinstance(full.motion, Motion):
        return full.motion
    names_it = full.picture is not None and full.motion.subject is not Subject.PICTURE
    return Motion(Subject.IT if names_it else full.motion.subject)


Step = Callable[[Caption, Caption], Caption]


def _picture(add: Callable[[Picture, Picture], Picture]) -> Step:
    def step(said: Caption, full: Caption) -> Caption:
        if said.picture is None or full.picture is None:
            return said
        return replace(said, picture=add(said.picture, full.picture))

    return step


def _motion(add: Callable[[Motion, Motion], Motion]) -> Step:
    def step(said: Caption, full: Caption) -> Caption:
        if not isinstance(said.motion, Motion) or not isinstance(full.motion, Motion):
            return said
        return replace(said, motion=add(said.motion, full.motion))

    return step


def _scene(said: Picture, full: Picture) -> Picture:
    background = full.background if full.scene is Scene.EMPTY else None
    return replace(said, scene=full.scene, colors=full.colors[:1], background=background)


def _path(said: Motion, full: Motion) -> Motion:
    return replace(said, travel=full.travel and Travel(full.travel.path))


def _colors(count: int) -> Step:
    return _picture(lambda said, full: replace(said, colors=full.colors[:count]) if said.scene else said)


def _rate(said: Motion, full: Motion) -> Motion:
    return replace(said, rate=full.rate) if said.is_rhythmic else said


def _main_stir(said: Motion, full: Motion) -> Motion:
    """Where the figure stays, what stirs is the motion."""
    is_way = full.travel is not None and full.travel.path.is_way
    return said if is_way else replace(said, stir=full.stir)


_STEPS: tuple[Step, ...] = (
    _picture(lambda said, full: replace(said, label=full.label)),
    _picture(_scene),
    _motion(_path),
    _motion(lambda said, full: replace(said, pulse=full.pulse)),
    _motion(lambda said, full: replace(said, turn=full.turn)),
    _motion(lambda said, full: replace(said, blink=full.blink)),
    _motion(lambda said, full: replace(said, hues=full.hues)),
    _picture(lambda said, full: replace(said, outline=full.outline) if said.scene else said),
    _motion(lambda said, full: replace(said, travel=full.travel)),
    _motion(_rate),
    _colors(2),
    _motion(_main_stir),
    _picture(lambda said, full: replace(said, background=full.background) if said.scene else said),
    _colors(3),
    _motion(lambda said, full: replace(said, loop=full.loop)),
    _motion(lambda said, full: replace(said, stir=full.stir)),
    _picture(lambda said, full: replace(said, place=full.place) if said.scene else said),
    _picture(lambda said, full: replace(said, size=full.size)),
    _picture(lambda said, full: replace(said, format=full.format)),
    _motion(lambda said, full: replace(said, length=full.length)),
)

"""Near truth: labels.jsonl of the sample -> which of its files show the same animation.

source_path says so for the versions that the sample's makers made themselves. Looking at the files, and comparing their
frames pixel by pixel, shows more, under other paths: SAME lists them. Of UNSURE it can be argued (the same frames in
another order, a few of them only): such pairs count neither for nor against.
"""

import zlib
from collections.abc import Mapping, Sequence

SAME = (
    "parrots: fastparrot 60fpsparrot reverseparrot ultrafastparrot",  # speed, mirror, half the frames
    "parrots: " + " ".join(f"wave{number}parrot" for number in range(1, 10)),  # where the loop starts, a hold
    "parrots: dealwithitparrot dealwithitnowparrot",  # speed
    "parrots: twinsparrot fasttwinsparrot",  # speed
    "parrots: congaparrot reversecongaparrot",  # mirror
    "parrots: aussiecongaparrot aussiereversecongaparrot",  # mirror
    "gophers: aww aww.twitter",  # margin
    "gophers: buy-morning-coffee-3x buy-morning-coffee-transparent",  # background
    "gophers: eyeroll eyeroll-3x",  # scale, one frame
    "gophers: glowstick party",  # background
    "gophers: gopher-dance-long gopher-dance-long-3x",
    "gophers: morning-beer morning-beer-3x",
    "gophers: morning-coffee morning-coffee-3x morning-coffee-32",
    "gophers: ninja ninja-3x ninja-large",  # scale; the last on a dark ground with wide margins
    "gophers: typing-furiously typing-furiously-3x",
)
UNSURE = (
    "parrots: fastparrot backwardsparrot sassyparrot slowparrot exceptionallyfastparrot thefastestparrot",
    "parrots: wave1parrot parrot",
    "parrots: playcatchleftparrot playcatchrightparrot",
    "parrots: middleparrot discoparrot",
)


def by_source_path(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name of the animation for each row: that of labels.jsonl."""
    return [row["source_path"] for row in rows]


def by_eye(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name of the animation for each row, with SAME."""
    return _joined(rows, by_source_path(rows), SAME)


def unsure(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name of the family for each row: within a family it may be argued."""
    return _joined(rows, by_eye(rows), UNSURE)


def is_held_out(family: str) -> bool:
    """Tell whether a family is in the half that was not looked at when thresholds were chosen."""
    return zlib.crc32(family.encode()) % 2 == 1


def _joined(rows: Sequence[Mapping[str, str]], names: Sequence[str], groups: Sequence[str]) -> list[str]:
    named = {row["path"]: name for row, name in zip(rows, names, strict=True)}
    joined: dict[str, str] = {}
    for group in groups:
        folder, stems = group.split(": ")
        first, *others = [named[f"{folder}/{stem}.gif"] for stem in stems.split()]
        joined |= dict.fromkeys(others, first)
    return [joined.get(name, name) for name in names]
